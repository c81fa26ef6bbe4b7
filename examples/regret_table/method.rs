//! The methods of the table, as PyEPO's notebooks set them.

use std::sync::Arc;

use imle_runtime::{Difference, Imle, Pid, RelativePid, SpoPlus};

use crate::learner::Draw::{Nothing, SumOfGamma};
use crate::learner::Learner;
use crate::learner::StateLoss::{self, MeanDistance, MeanRegret, MeanRegretInSingle, SumRegret};

/// A line of the table.
#[derive(Clone)]
pub(crate) struct Method {
    /// The name in files and on the command line.
    pub(crate) name: &'static str,
    /// The name in the table.
    pub(crate) title: &'static str,
    pub(crate) learner: Learner,
    /// Where it differs from what was published, or why there are two of it.
    pub(crate) remark: Option<&'static str>,
}

/// Why a published figure of black-box differentiation is not that of the method.
const ROUNDED: &str = "The published runs compute the regret of a training decision in f32. That of a right \
    decision is then not 0 but a rounding error, and the derivative of its absolute value, 1 or -1, \
    moves the predictions at random. With this rounding our figures are the published ones; without it the \
    method is far better.";
/// What PyEPO does with noise.
const NOISE: &str = "PyEPO adds the noise to costs; here it is subtracted, since noise perturbs what is to be \
    maximised. That noise is skewed, so the two are not the same, but no figure shows it.";

/// Lists all methods, in the order of the table.
pub(crate) fn all() -> Vec<Method> {
    vec![
        Method::new(
            "two-stage",
            "two-stage, least squares",
            Learner::LeastSquares,
        ),
        Method::new("mse", "two-stage, MSE", Learner::MeanSquares),
        Method::new("spo-plus", "SPO+", Learner::loss(SpoPlus, Nothing)),
        Method::new(
            "imle-10",
            "I-MLE, lambda 10, mean L1",
            pid(10.0, MeanDistance),
        )
        .remark(NOISE),
        Method::new(
            "imle-1000",
            "I-MLE, lambda 1000, mean L1",
            pid(1000.0, MeanDistance),
        ),
        Method::new(
            "imle-regret",
            "I-MLE, lambda 10, sum of regrets",
            pid(10.0, SumRegret),
        ),
        Method::new("imle-central", "I-MLE, the same, central", central(10.0)),
        Method::new("imle-relative", "I-MLE, relative lambda, L1", relative()),
        Method::new("dbb", "DBB, lambda 20", black_box(20.0, MeanRegret)),
        Method::new(
            "dbb-f32",
            "DBB, regrets in f32",
            black_box(20.0, MeanRegretInSingle),
        )
        .remark(ROUNDED),
    ]
}

fn pid(lambda: f64, loss: StateLoss) -> Learner {
    let target = Arc::new(Pid::new(lambda));
    Learner::states(
        Imle {
            target,
            ..Imle::default()
        },
        SumOfGamma,
        loss,
    )
}

fn central(lambda: f64) -> Learner {
    let (target, difference) = (Arc::new(Pid::new(lambda)), Difference::Central);
    Learner::states(
        Imle {
            target,
            difference,
            ..Imle::default()
        },
        SumOfGamma,
        SumRegret,
    )
}

fn relative() -> Learner {
    let target = Arc::new(RelativePid::new(1.0));
    Learner::states(
        Imle {
            target,
            ..Imle::default()
        },
        SumOfGamma,
        MeanDistance,
    )
}

/// Black-box differentiation is I-MLE without noise.
fn black_box(lambda: f64, loss: StateLoss) -> Learner {
    let target = Arc::new(Pid::new(lambda));
    Learner::states(
        Imle {
            target,
            ..Imle::default()
        },
        Nothing,
        loss,
    )
}

impl Method {
    fn new(name: &'static str, title: &'static str, learner: Learner) -> Self {
        Self {
            name,
            title,
            learner,
            remark: None,
        }
    }

    fn remark(self, remark: &'static str) -> Self {
        Self {
            remark: Some(remark),
            ..self
        }
    }
}

/// The names of all methods.
pub(crate) fn names() -> Vec<&'static str> {
    all().iter().map(|method| method.name).collect()
}

/// The methods of these names, in the order of the table; all of them if there are no names.
pub(crate) fn chosen(names: &[String]) -> Vec<Method> {
    let mut methods = all();
    methods.retain(|method| names.is_empty() || names.iter().any(|name| name == method.name));
    methods
}
