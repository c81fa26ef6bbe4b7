//! Layers and settings that several tests look at.

#![allow(
    dead_code,
    reason = "every test file compiles this module and uses a part of it"
)]

use std::sync::Arc;

use imle_runtime::{
    Combinatorial, Difference, Error, ErrorKind, Facts, FnOracle, Gumbel, Imle, Layer, NoNoise,
    Noise, Normal, Oracle, Pid, RelativePid, Sampling, SumOfGamma, Target,
};

/// What a layer of I-MLE is made with.
pub(crate) type Settings = (Imle, Sampling);

pub(crate) fn layer(oracle: Arc<dyn Oracle>, (imle, sampling): Settings) -> Layer {
    Layer::new(oracle, imle, sampling).expect("the settings are right")
}

pub(crate) fn without_noise(target: impl Target + 'static) -> Settings {
    let sampling = Sampling {
        noise: Arc::new(NoNoise),
        ..Sampling::default()
    };
    (imle(target), sampling)
}

pub(crate) fn imle(target: impl Target + 'static) -> Imle {
    Imle {
        target: Arc::new(target),
        ..Imle::default()
    }
}

pub(crate) fn noises() -> [Arc<dyn Noise>; 4] {
    [
        Arc::new(NoNoise),
        Arc::new(Gumbel),
        Arc::new(Normal),
        Arc::new(SumOfGamma {
            kappa: 3.0,
            terms: Some(10),
        }),
    ]
}

pub(crate) fn every_setting() -> Vec<Settings> {
    let mut configs = Vec::new();
    let targets: [Arc<dyn Target>; 3] = [
        Arc::new(Pid::new(2.0)),
        Arc::new(RelativePid::new(1.0)),
        Arc::new(Combinatorial),
    ];
    for noise in noises() {
        for target in &targets {
            for difference in [Difference::OneSided, Difference::Central] {
                configs.push((
                    Imle {
                        tau_target: Some(0.4.into()),
                        target: target.clone(),
                        difference,
                        divide_by_lambda: true,
                    },
                    Sampling {
                        samples: 3,
                        seed: 9,
                        tau: 0.7.into(),
                        noise: noise.clone(),
                        ..Sampling::default()
                    },
                ));
            }
        }
    }
    configs
}

/// A solver that fails where theta begins with a positive number.
pub(crate) fn moody() -> Arc<dyn Oracle> {
    Arc::new(FnOracle::new(Facts::binary(2), |theta, z| {
        if theta[0] > 0.0 {
            return Err(Error::new(ErrorKind::Infeasible, "not today"));
        }
        z.copy_from_slice(&[0.0, f64::from(theta[1] > 0.0)]);
        Ok(())
    }))
}
