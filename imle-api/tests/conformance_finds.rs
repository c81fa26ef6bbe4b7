//! The conformance check finds each planted defect, and finds nothing where there is none.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use imle_api::conformance::{Check, Failure, binary_vectors};
use imle_api::{
    Error, ErrorKind, Facts, FnOracle, Identity, Limits, Oracle, Outcome, Proof, Solved,
    ThetaDomain,
};
use serde_json::json;

/// Checks a 2-out-of-4 oracle that is right except for what `spoil` does to it.
fn check(oracle: impl Fn() -> Arc<dyn Oracle>) -> Result<(), Failure> {
    let pairs = binary_vectors(4, |z| z.iter().sum::<f64>() == 2.0);
    Check::new()
        .case(json!([4, 2]), pairs)
        .run_on(|_| Ok(oracle()))
}

/// The two largest, ties to the lower index.
fn largest_two(theta: &[f64], z: &mut [f64]) {
    let mut order: Vec<usize> = (0..theta.len()).collect();
    order.sort_by(|&a, &b| {
        theta[b]
            .partial_cmp(&theta[a])
            .expect("finite")
            .then(a.cmp(&b))
    });
    z.fill(0.0);
    order[..2].iter().for_each(|&i| z[i] = 1.0);
}

fn spoiled(
    spoil: impl Fn(&[f64], &mut [f64]) -> Result<(), Error> + Send + Sync + Clone + 'static,
) -> Result<(), Failure> {
    check(|| {
        let spoil = spoil.clone();
        Arc::new(FnOracle::new(Facts::binary(4), move |theta, z| {
            largest_two(theta, z);
            spoil(theta, z)
        }))
    })
}

fn property(result: Result<(), Failure>) -> &'static str {
    result.expect_err("the defect is found").property()
}

#[test]
fn a_right_oracle_passes() {
    spoiled(|_, _| Ok(())).unwrap();
}

#[test]
fn a_state_that_is_not_the_best_is_found() {
    let result = spoiled(|theta, z| {
        if theta[0] > 0.5 {
            z.rotate_right(1);
        }
        Ok(())
    });
    let text = result.clone().unwrap_err().to_string();
    assert_eq!(property(result), "optimality");
    assert!(
        text.contains("with objective") && text.contains("but ["),
        "the evidence is there: {text}"
    );
}

#[test]
fn a_state_that_is_none_is_found() {
    let result = spoiled(|theta, z| {
        if theta[1] == 0.0 {
            z.fill(1.0); // more than two ones where there are ties
        }
        Ok(())
    });
    assert_eq!(property(result), "feasibility");
}

#[test]
fn a_row_without_an_outcome_is_found() {
    let result = spoiled(|theta, _| match theta[3] > 0.9 {
        true => Err(Error::new(ErrorKind::BackendFailed, "planted")),
        false => Ok(()),
    });
    assert_eq!(property(result), "a state for every row");
}

#[test]
fn a_panic_is_found() {
    let result = spoiled(|theta, _| {
        assert!(theta[3] < 0.9, "planted");
        Ok(())
    });
    let text = result.clone().unwrap_err().to_string();
    assert_eq!(property(result), "a state for every row");
    assert!(text.contains("panic in plugin"), "{text}");
}

#[test]
fn ties_that_depend_on_what_was_solved_before_are_found() {
    let calls = Arc::new(AtomicUsize::new(0));
    let result = spoiled(move |theta, z| {
        let odd = calls.fetch_add(1, Ordering::SeqCst) % 2 == 1;
        if odd
            && theta
                .iter()
                .all(|&theta| theta == theta.abs() && theta < 0.5)
        {
            z.reverse();
        }
        Ok(())
    });
    assert!(property(result).starts_with("the same state"));
}

#[test]
fn results_that_depend_on_the_thread_are_found() {
    thread_local!(static ON_MAIN: Cell<bool> = const { Cell::new(false) });
    ON_MAIN.set(true);
    let result = spoiled(|theta, z| {
        if !ON_MAIN.get() && theta[0] == theta[1] && theta[1] == theta[2] && theta[2] == theta[3] {
            z.reverse();
        }
        Ok(())
    });
    assert_eq!(property(result), "the same state on another thread");
}

/// What is done to a right outcome.
type Claim = fn(&mut Solved);

/// An oracle with outcomes of its own making.
struct Claims {
    facts: Facts,
    claim: Claim,
}

impl Oracle for Claims {
    fn facts(&self) -> Facts {
        self.facts
    }

    fn identity(&self) -> Identity {
        Identity::unique()
    }

    fn solve(&self, theta: &[f64], z: &mut [f64], outcomes: &mut [Outcome], _: &Limits<'_>) {
        let rows = theta.chunks_exact(4).zip(z.chunks_exact_mut(4));
        for ((theta, z), outcome) in rows.zip(outcomes) {
            largest_two(theta, z);
            let mut solved = Solved {
                objective: theta.iter().zip(&*z).map(|(theta, z)| theta * z).sum(),
                proof: Proof::NONE,
            };
            (self.claim)(&mut solved);
            *outcome = Ok(solved);
        }
    }
}

#[test]
fn wrong_numbers_beside_the_state_are_found() {
    let facts = Facts::binary(4);
    let cases: [(&str, Claim); 5] = [
        ("objective", |solved| solved.objective += 0.1),
        ("bound", |solved| {
            solved.proof.bound = solved.objective - 0.1
        }),
        ("radius", |solved| solved.proof.radius = 0.3),
        ("radius", |solved| solved.proof.radius = -1.0),
        ("radius", |solved| solved.proof.radius = f64::NAN),
    ];
    for (name, claim) in cases {
        assert_eq!(property(check(|| Arc::new(Claims { facts, claim }))), name);
    }
}

#[test]
fn facts_that_do_not_hold_are_found() {
    let wrong = [
        Facts::binary(4).with_ones(3),
        Facts::binary(5),
        Facts::bounded(4, 0.0, 0.5, false),
        Facts::bounded(4, 0.5, 1.0, true),
    ];
    for facts in wrong {
        let result = check(|| {
            Arc::new(Claims {
                facts,
                claim: |_| {},
            })
        });
        assert_eq!(property(result), "facts", "{facts:?}");
    }
}

#[test]
fn a_theta_domain_is_kept_to() {
    let costs_only = || -> Arc<dyn Oracle> {
        let facts = Facts::binary(4).with_theta_domain(ThetaDomain::NonPositive);
        Arc::new(FnOracle::new(facts, |theta, z| {
            assert!(
                theta.iter().all(|&theta| theta <= 0.0),
                "outside the domain"
            );
            largest_two(theta, z);
            Ok(())
        }))
    };
    check(costs_only).unwrap();
}

#[test]
fn a_configuration_that_should_be_refused_and_is_not_is_found() {
    let oracle = || -> Arc<dyn Oracle> { Arc::new(FnOracle::new(Facts::binary(1), |_, _| Ok(()))) };
    let accepting = Check::new()
        .refuses(json!({"k": 5}))
        .run_on(|_| Ok(oracle()));
    assert_eq!(property(accepting), "refusal");
    let silent = Check::new()
        .refuses(json!({"k": 5}))
        .run_on(|_| Err(Error::new(ErrorKind::InvalidConfig, "")));
    assert_eq!(property(silent), "refusal");
    let unknown_key = Check::new()
        .case(json!({"k": 5}), vec![vec![0.0]])
        .run_on(|_| Ok(oracle()));
    assert_eq!(property(unknown_key), "refusal");
}

/// Checks the 2-out-of-4 oracle with its marginals from enumeration, except for what `spoil` does to them.
fn spoiled_marginals(
    spoil: impl Fn(&[f64], &mut [f64], &mut f64) -> Result<(), Error> + Send + Sync + Clone + 'static,
) -> Result<(), Failure> {
    let exact = |theta: &[f64], mu: &mut [f64]| {
        let pairs = binary_vectors(4, |z| z.iter().sum::<f64>() == 2.0);
        let weight = |z: &[f64]| z.iter().zip(theta).map(|(z, theta)| z * theta).sum::<f64>();
        let best = pairs.iter().map(|z| weight(z)).fold(f64::MIN, f64::max);
        let total: f64 = pairs.iter().map(|z| (weight(z) - best).exp()).sum();
        mu.fill(0.0);
        for z in &pairs {
            let probability = (weight(z) - best).exp() / total;
            mu.iter_mut()
                .zip(z)
                .for_each(|(mu, z)| *mu += probability * z);
        }
        best + total.ln()
    };
    check(|| {
        let spoil = spoil.clone();
        let oracle = FnOracle::new(Facts::binary(4), |theta: &[f64], z: &mut [f64]| {
            largest_two(theta, z);
            Ok(())
        });
        Arc::new(oracle.with_marginals(move |theta, mu| {
            let mut log_partition = exact(theta, mu);
            spoil(theta, mu, &mut log_partition)?;
            Ok(log_partition)
        }))
    })
}

#[test]
fn right_marginals_pass_and_wrong_ones_are_found() {
    spoiled_marginals(|_, _, _| Ok(())).unwrap();
    let swapped = spoiled_marginals(|_, mu, _| {
        mu.swap(0, 3);
        Ok(())
    });
    assert_eq!(property(swapped), "marginals");
    let not_a_number = spoiled_marginals(|theta, mu, _| {
        if theta[0] > 0.9 {
            mu[2] = f64::NAN;
        }
        Ok(())
    });
    assert_eq!(property(not_a_number), "marginals for every row");
    let biased = spoiled_marginals(|_, _, log_partition| {
        *log_partition += 1e-6;
        Ok(())
    });
    assert_eq!(property(biased), "log-partition");
}

#[test]
fn marginals_of_some_rows_only_are_found() {
    let result = spoiled_marginals(|theta, _, _| match theta[0] > 0.9 {
        true => Err(Error::new(ErrorKind::Unsupported, "planted")),
        false => Ok(()),
    });
    assert_eq!(property(result), "marginals for every row");
    spoiled_marginals(|_, _, _| Err(Error::new(ErrorKind::Unsupported, "none"))).unwrap();
}

#[test]
fn marginals_that_depend_on_what_was_asked_before_are_found() {
    let calls = Arc::new(AtomicUsize::new(0));
    let result = spoiled_marginals(move |_, mu, _| {
        mu[0] += calls.fetch_add(1, Ordering::SeqCst) as f64 * 1e-14;
        Ok(())
    });
    assert!(property(result).starts_with("the same marginals"));
}

/// Checks a 2-out-of-4 oracle of which nobody lists the states.
fn explored(
    spoil: impl Fn(&[f64], &mut [f64]) + Send + Sync + Clone + 'static,
) -> Result<(), Failure> {
    Check::new().explore(json!([4, 2])).run_on(|_| {
        let spoil = spoil.clone();
        Ok(Arc::new(FnOracle::new(
            Facts::binary(4),
            move |theta, z| {
                largest_two(theta, z);
                spoil(theta, z);
                Ok(())
            },
        )))
    })
}

#[test]
fn a_right_oracle_passes_when_it_is_asked_for_its_states() {
    explored(|_, _| ()).unwrap();
}

#[test]
fn a_state_that_another_answer_of_the_solver_beats_is_found() {
    let failure = explored(|theta, z| {
        if theta[0] > 1.5 {
            z.rotate_right(1);
        }
    })
    .expect_err("the defect is found");
    assert_eq!(failure.property(), "optimality");
    assert!(failure.evidence().contains("but ["), "{failure}");
    assert_eq!(failure.config(), "[4,2]");
}

#[test]
fn a_state_that_the_solver_itself_does_not_know_is_found() {
    let result = explored(|theta, z| {
        if theta[0].abs() > 1e3 {
            z.fill(1.0);
        }
    });
    assert_eq!(property(result), "feasibility");
}

/// Up to the seven states of a knapsack of 30 items, of which none is asked for by itself.
#[test]
fn a_large_instance_is_held_to_the_states_that_came_back() {
    let best_of_seven = |lie: bool| {
        Check::new().explore(json!([30])).run_on(move |_| {
            Ok(Arc::new(FnOracle::new(
                Facts::binary(30).with_ones(3),
                move |theta, z| {
                    let start = |block: &usize| theta[4 * block..][..3].iter().sum::<f64>();
                    let best = (0..7).fold(0, |best, block| {
                        let better = start(&block) > start(&best);
                        if better { block } else { best }
                    });
                    let best = if lie && theta[29] > 0.9 { 6 } else { best };
                    z.fill(0.0);
                    z[4 * best..][..3].fill(1.0);
                    Ok(())
                },
            )))
        })
    };
    best_of_seven(false).unwrap();
    assert_eq!(property(best_of_seven(true)), "optimality");
}

#[test]
fn an_instance_without_states_is_held_to_that() {
    let check = |lie: bool| {
        Check::new().explore(json!([])).run_on(move |_| {
            Ok(Arc::new(FnOracle::new(
                Facts::binary(2),
                move |theta, z: &mut [f64]| {
                    z.fill(0.0);
                    match lie && theta[0] > 1e3 {
                        true => Ok(()),
                        false => Err(Error::new(ErrorKind::Infeasible, "there is none")),
                    }
                },
            )))
        })
    };
    check(false).unwrap();
    assert_eq!(property(check(true)), "infeasibility");
}
