//! Rows with two ends, from MPS files, against enumeration.

use std::fmt::Write as _;

use fastrand::Rng;
use imle_api::{ErrorKind, Limits, Solver};
use imle_ilp_native::{Config, IlpNative, Workspace};

const VARIABLES: usize = 5;

struct Ranged {
    rows: Vec<([i32; VARIABLES], i32, i32)>,
}

impl Ranged {
    fn random(rng: &mut Rng) -> Self {
        let rows = (0..rng.usize(1..=3)).map(|_| {
            let lower = rng.i32(-4..=4);
            let mut terms = [0; VARIABLES].map(|_| rng.i32(-3..=3));
            terms[0] = terms[0].max(1);
            (terms, lower, lower + rng.i32(0..=3))
        });
        Self {
            rows: rows.collect(),
        }
    }

    fn mps(&self) -> String {
        let mut text = String::from("NAME ranged\nROWS\n N cost\n");
        (0..self.rows.len()).for_each(|r| writeln!(text, " G r{r}").expect("a string has room"));
        text += "COLUMNS\n    m1 'MARKER' 'INTORG'\n";
        for v in 0..VARIABLES {
            for (r, row) in self
                .rows
                .iter()
                .enumerate()
                .filter(|(_, row)| row.0[v] != 0)
            {
                writeln!(text, "    v{v} r{r} {}", row.0[v]).expect("a string has room");
            }
            writeln!(text, "    v{v} cost 1").expect("a string has room");
        }
        text += "    m2 'MARKER' 'INTEND'\nRHS\n";
        for (r, row) in self.rows.iter().enumerate() {
            writeln!(text, "    rhs r{r} {}", row.1).expect("a string has room");
        }
        text += "RANGES\n";
        for (r, row) in self.rows.iter().enumerate() {
            writeln!(text, "    range r{r} {}", row.2 - row.1).expect("a string has room");
        }
        text += "BOUNDS\n";
        for v in 0..VARIABLES {
            writeln!(text, " LO b v{v} -2\n UP b v{v} 2").expect("a string has room");
        }
        text + "ENDATA\n"
    }

    fn best(&self, theta: &[f64]) -> Option<f64> {
        let states = (0..5i32.pow(VARIABLES as u32)).map(|code| {
            std::array::from_fn::<i32, VARIABLES, _>(|v| code / 5i32.pow(v as u32) % 5 - 2)
        });
        let holds = |z: &[i32; VARIABLES]| {
            self.rows.iter().all(|(terms, lower, upper)| {
                let sum: i32 = terms.iter().zip(z).map(|(t, z)| t * z).sum();
                (*lower..=*upper).contains(&sum)
            })
        };
        let value = |z: [i32; VARIABLES]| -> f64 {
            z.iter().zip(theta).map(|(z, t)| f64::from(*z) * t).sum()
        };
        states.filter(holds).map(value).reduce(f64::max)
    }
}

#[test]
fn ranged_rows_agree_with_enumeration() {
    let path = std::env::temp_dir().join(format!("imle-ranged-{}.mps", std::process::id()));
    let rng = &mut Rng::with_seed(8);
    let mut infeasible = 0;
    for model in 0..100 {
        let ranged = Ranged::random(rng);
        std::fs::write(&path, ranged.mps()).unwrap();
        let solver = IlpNative::new(Config {
            file: Some(path.clone()),
            ..Config::default()
        })
        .unwrap();
        let mut workspace = Workspace::default();
        for _ in 0..6 {
            let theta: Vec<f64> = (0..VARIABLES).map(|_| rng.f64() * 4.0 - 2.0).collect();
            let mut z = vec![0.0; VARIABLES];
            let solved = solver.solve(&mut workspace, &theta, &mut z, &Limits::none());
            match (ranged.best(&theta), solved) {
                (None, Err(why)) if why.kind() == ErrorKind::Infeasible => infeasible += 1,
                (Some(best), Ok(_)) => {
                    let value: f64 = z.iter().zip(&theta).map(|(z, t)| z * t).sum();
                    assert!(
                        (value - best).abs() < 1e-9,
                        "model {model}: {value}, not {best}"
                    );
                }
                (best, solved) => panic!("model {model}: {best:?}, but {solved:?}"),
            }
        }
    }
    std::fs::remove_file(path).unwrap();
    assert!(infeasible > 0 && infeasible < 300);
}
