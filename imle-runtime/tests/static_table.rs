//! Both sides of the boundary in one program: a solver reached through its table, and nothing loaded.
//!
//! No file, no library and no vector instruction of our own stands between the two, so that Miri can follow every
//! pointer: CONTRIBUTING.md has the command.

use std::panic::resume_unwind;
use std::thread;

use imle_runtime::{
    Error, ErrorKind, Facts, Limits, Oracle, Outcome, Plugin, Proof, Solver, StopFlag, solve_one,
};
use serde_json::json;

/// The first largest coordinate. A row that begins with 100 has no state, one that begins with 200 panics.
struct OneHot {
    dim: usize,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    dim: usize,
}

impl OneHot {
    /// The softmax.
    fn marginals(
        &self,
        weights: &mut Vec<f64>,
        theta: &[f64],
        mu: &mut [f64],
        _: &Limits<'_>,
    ) -> Result<f64, Error> {
        weights.clear();
        weights.extend(theta.iter().map(|theta| theta.exp()));
        let sum: f64 = weights.iter().sum();
        for (mu, weight) in mu.iter_mut().zip(weights) {
            *mu = *weight / sum;
        }
        Ok(sum.ln())
    }
}

impl Solver for OneHot {
    const NAME: &'static str = "one-hot";
    const SUMMARY: &'static str = "the largest coordinate";
    const MARGINALS: Option<imle_api::MarginalsFn<Self>> = Some(Self::marginals);
    type Config = Config;
    type Workspace = Vec<f64>;

    fn new(config: Config) -> Result<Self, Error> {
        match config.dim {
            0 => Err(Error::new(ErrorKind::InvalidConfig, "dim = 0 is too few")),
            dim => Ok(Self { dim }),
        }
    }

    fn facts(&self) -> Facts {
        Facts::binary(self.dim).with_ones(1)
    }

    fn solve(
        &self,
        seen: &mut Vec<f64>,
        theta: &[f64],
        z: &mut [f64],
        limits: &Limits<'_>,
    ) -> Result<Proof, Error> {
        limits.check()?;
        seen.clear();
        seen.extend_from_slice(theta);
        match seen[0] {
            100.0 => return Err(Error::new(ErrorKind::Infeasible, "100 has no state")),
            200.0 => resume_unwind(Box::new("200 is too many")),
            _ => (),
        }
        let best = (1..self.dim).fold(0, |best, i| if seen[i] > seen[best] { i } else { best });
        z.fill(0.0);
        z[best] = 1.0;
        Ok(Proof::NONE)
    }
}

imle_api::export_plugin!(OneHot);

fn plugin() -> Plugin {
    // SAFETY: the entry function of this program, with the tables of the SDK.
    let plugin = unsafe { Plugin::from_entry(imle_plugin_v1, "this program") };
    plugin.expect("it is a plugin")
}

/// States and outcomes of some rows.
fn solve(oracle: &dyn Oracle, theta: &[f64], limits: &Limits<'_>) -> (Vec<f64>, Vec<Outcome>) {
    let rows = theta.len() / oracle.facts().dim;
    let (mut z, mut outcomes) = (vec![f64::NAN; theta.len()], vec![imle_api::unset(); rows]);
    oracle.solve(theta, &mut z, &mut outcomes, limits);
    (z, outcomes)
}

#[test]
fn rows_go_there_and_back() {
    let oracle = plugin()
        .open("one-hot", &json!({"dim": 3}))
        .expect("it opens");
    assert_eq!(oracle.facts(), Facts::binary(3).with_ones(1));
    let (z, outcomes) = solve(&*oracle, &[1.0, 4.0, 2.0, 3.0, 3.0, 0.0], &Limits::none());
    assert_eq!(z, [0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
    let objectives = outcomes
        .iter()
        .map(|outcome| outcome.as_ref().map(|solved| solved.objective));
    assert_eq!(objectives.collect::<Vec<_>>(), [Ok(4.0), Ok(3.0)]);
    let (mut mu, mut log_partitions) = ([0.0; 3], [imle_api::unset::<f64>()]);
    oracle.marginals(&[0.0; 3], &mut mu, &mut log_partitions, &Limits::none());
    assert!(mu.iter().all(|mu| (mu - 1.0 / 3.0).abs() < 1e-15));
    assert!((log_partitions[0].as_ref().expect("it has one") - 3f64.ln()).abs() < 1e-15);
}

#[test]
fn errors_cross_with_their_words() {
    let plugin = plugin();
    for (config, sentence) in [
        (json!({"dim": 0}), "dim = 0 is too few"),
        (json!({"dim": 2, "k": 1}), "k"),
        (json!([]), "Config"),
    ] {
        let refused = plugin.open("one-hot", &config).err().expect("it is wrong");
        assert_eq!(refused.kind(), ErrorKind::InvalidConfig);
        assert!(refused.message().contains(sentence), "{refused}");
    }
    assert!(plugin.open("two-hot", &json!({"dim": 2})).is_err());
    assert_eq!(
        plugin.schema("one-hot").expect("it has one")["required"],
        json!(["dim"])
    );

    let oracle = plugin
        .open("one-hot", &json!({"dim": 2}))
        .expect("it opens");
    let theta = [1.0, 2.0, 100.0, 0.0, 200.0, 0.0];
    let (_, outcomes) = solve(&*oracle, &theta, &Limits::none());
    assert!(outcomes[0].is_ok());
    let kinds = outcomes[1..]
        .iter()
        .map(|outcome| outcome.as_ref().map_err(Error::kind));
    assert_eq!(
        kinds.collect::<Vec<_>>(),
        [Err(ErrorKind::Infeasible), Err(ErrorKind::Panic)]
    );
    // The workspace that broke is gone; the next call gets another.
    assert_eq!(
        solve_one(&*oracle, &[1.0, 2.0]).expect("it has a state").0,
        [0.0, 1.0]
    );

    let stop = StopFlag::default();
    stop.raise();
    let (_, outcomes) = solve(&*oracle, &theta, &Limits::none().with_stop(&stop));
    let all = outcomes.iter().all(|outcome| {
        outcome
            .as_ref()
            .is_err_and(|why| why.kind() == ErrorKind::Stopped)
    });
    assert!(all, "{outcomes:?}");
}

#[test]
fn threads_share_an_instance() {
    let oracle = plugin()
        .open("one-hot", &json!({"dim": 3}))
        .expect("it opens");
    thread::scope(|scope| {
        for thread in 0..3 {
            let oracle = &oracle;
            scope.spawn(move || {
                let mut theta = [0.0; 3];
                theta[thread] = 1.0;
                for _ in 0..5 {
                    assert_eq!(
                        solve_one(&**oracle, &theta).expect("it has a state").0,
                        theta
                    );
                }
            });
        }
    });
}
