//! Methods that are special cases of one another, and derivatives against finite differences.

#[path = "common/oracles.rs"]
mod oracles;

use std::sync::Arc;

use imle_runtime::{
    BlackBox, Difference, Distribution, Estimator, Exact, Feedback, Gumbel, GumbelSoftmax, Imle,
    ImplicitDifferentiation, Layer, NegativeIdentity, NoNoise, Noise, Normal, Oracle, Pid,
    Projection, RelativePid, Sampling, Sense, SoftSub, StraightThrough, Target, Temperature,
};
use oracles::{k_subset, numbers, subsets};
use proptest::prelude::*;

const DIM: usize = 5;

fn sampling(samples: usize, noise: impl Noise + 'static) -> Sampling {
    Sampling {
        samples,
        seed: 4,
        noise: Arc::new(noise),
        ..Sampling::default()
    }
}

fn pass(
    estimator: impl Estimator + 'static,
    sampling: Sampling,
    oracle: Arc<dyn Oracle>,
    theta: &[f64],
    feedback: Feedback<'_>,
) -> (Vec<f64>, Vec<f64>) {
    let layer = Layer::new(oracle, estimator, sampling).expect("the settings are right");
    let saved = layer.forward(theta, 2).expect("theta is finite");
    let z = saved.z().to_vec();
    (z, layer.backward(saved, feedback).expect("it fits").theta)
}

fn divided(target: impl Target + 'static) -> Imle {
    Imle {
        target: Arc::new(target),
        divide_by_lambda: true,
        ..Imle::default()
    }
}

fn assert_close(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    for (a_i, b_i) in a.iter().zip(b) {
        assert!((a_i - b_i).abs() <= tolerance, "{a:?} is not {b:?}");
    }
}

/// `d <grad, f(theta)> / d theta` by central differences.
fn numeric(theta: &[f64], grad: &[f64], f: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    let h = 1e-5;
    let value =
        |theta: &[f64]| -> f64 { f(theta).iter().zip(grad).map(|(f, grad)| f * grad).sum() };
    (0..theta.len())
        .map(|at| {
            let (mut up, mut down) = (theta.to_vec(), theta.to_vec());
            up[at] += h;
            down[at] -= h;
            (value(&up) - value(&down)) / (2.0 * h)
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn black_box_differentiation_is_imle_without_noise_divided_by_lambda(
        theta in prop::collection::vec(-2.0..2.0_f64, 3 * DIM),
        grad_z in prop::collection::vec(-1.0..1.0_f64, 3 * DIM),
        lambda in 0.0..20.0_f64,
        minimise: bool,
    ) {
        let sense = if minimise { Sense::Minimize } else { Sense::Maximize };
        let with = |noise: Arc<dyn Noise>| Sampling { sense, noise, ..Sampling::default() };
        let oracle = k_subset(DIM, 2);
        let imle = pass(
            divided(Pid::new(lambda)), with(Arc::new(NoNoise)), oracle.clone(), &theta, (&grad_z).into(),
        );
        // It does not look at the noise.
        let black_box = pass(BlackBox { lambda }, with(Arc::new(Gumbel)), oracle, &theta, (&grad_z).into());
        prop_assert_eq!(black_box, imle);
    }

    #[test]
    fn implicit_differentiation_of_a_loss_of_the_mean_is_imle_divided_by_lambda(
        theta in prop::collection::vec(-2.0..2.0_f64, 2 * DIM),
        grad in prop::collection::vec(-1.0..1.0_f64, 2 * DIM),
        lambda in 0.1..20.0_f64,
        central: bool,
    ) {
        let difference = if central { Difference::Central } else { Difference::OneSided };
        let imle = Imle { difference, ..divided(Pid::new(lambda)) };
        let implicit = ImplicitDifferentiation { lambda, difference };
        let feedback = Feedback::GradMean(&grad);
        let a = pass(imle, sampling(7, Gumbel), k_subset(DIM, 2), &theta, feedback);
        let b = pass(implicit, sampling(7, Gumbel), k_subset(DIM, 2), &theta, feedback);
        prop_assert_eq!(&a.0, &b.0);
        // The mean of equal gradients is rounded.
        for (a, b) in a.1.iter().zip(&b.1) {
            prop_assert!((a - b).abs() < 1e-9, "{} is not {}", a, b);
        }
    }

    #[test]
    fn identity_without_projection_is_straight_through(
        theta in prop::collection::vec(-2.0..2.0_f64, 2 * DIM),
        grad_z in prop::collection::vec(-1.0..1.0_f64, 6 * DIM),
    ) {
        let identity = NegativeIdentity { projection: Projection::None };
        let a = pass(identity, sampling(3, Normal), k_subset(DIM, 2), &theta, (&grad_z).into());
        let b = pass(StraightThrough, sampling(3, Normal), k_subset(DIM, 2), &theta, (&grad_z).into());
        prop_assert_eq!(&a, &b);
        let mean = |row: usize, at: usize| -> f64 {
            (0..3).map(|sample| grad_z[(3 * row + sample) * DIM + at]).sum::<f64>() / 3.0
        };
        let means: Vec<f64> = (0..2).flat_map(|row| (0..DIM).map(move |at| mean(row, at))).collect();
        prop_assert_eq!(b.1, means);
    }

    #[test]
    fn a_projection_leaves_map_states_alone_and_is_differentiated_exactly(
        theta in prop::collection::vec(-2.0..2.0_f64, DIM),
        grad in prop::collection::vec(-1.0..1.0_f64, DIM),
    ) {
        let mean = |x: &[f64]| x.iter().sum::<f64>() / DIM as f64;
        let center = |x: &[f64]| -> Vec<f64> { x.iter().map(|value| value - mean(x)).collect() };
        let norm = |x: &[f64]| x.iter().map(|value| value * value).sum::<f64>().sqrt();
        let divide = |x: Vec<f64>, by: f64| -> Vec<f64> { x.into_iter().map(|value| value / by).collect() };
        prop_assume!(norm(&center(&theta)) > 0.3);
        let plain = pass(StraightThrough, sampling(1, NoNoise), k_subset(DIM, 2), &theta, (&grad).into());
        for projection in [Projection::Mean, Projection::Norm, Projection::Std] {
            let f = |x: &[f64]| match projection {
                Projection::Mean => center(x),
                Projection::Norm => divide(x.to_vec(), norm(x)),
                _ => divide(center(x), norm(&center(x)) / (DIM as f64).sqrt()),
            };
            let identity = NegativeIdentity { projection };
            let (z, gradient) = pass(identity, sampling(1, NoNoise), k_subset(DIM, 2), &theta, (&grad).into());
            prop_assert_eq!(&z, &plain.0);
            assert_close(&gradient, &numeric(&theta, &grad, f), 1e-6);
        }
    }

    #[test]
    fn relaxations_are_differentiated_exactly(
        theta in prop::collection::vec(-2.0..2.0_f64, DIM),
        grad in prop::collection::vec(-1.0..1.0_f64, DIM),
        temperature in 0.3..2.0_f64,
        ones in 1..4_usize,
    ) {
        let soft_sub = SoftSub { temperature, straight_through: false };
        let relax = |theta: &[f64]| {
            let layer = Layer::new(k_subset(DIM, ones), soft_sub, sampling(1, Gumbel)).unwrap();
            layer.forward(theta, 2).unwrap().z().to_vec()
        };
        let (z, gradient) = pass(soft_sub, sampling(1, Gumbel), k_subset(DIM, ones), &theta, (&grad).into());
        assert_close(&[z.iter().sum()], &[ones as f64], 1e-9);
        let expected = numeric(&theta, &grad, relax);
        let largest = expected.iter().fold(1.0, |largest: f64, value| largest.max(value.abs()));
        assert_close(&gradient, &expected, 1e-5 * largest);
        if ones == 1 {
            let one_hot = GumbelSoftmax { temperature, straight_through: false };
            let other = pass(one_hot, sampling(1, Gumbel), k_subset(DIM, 1), &theta, (&grad).into());
            prop_assert_eq!((z, gradient), other);
        }
    }

    #[test]
    fn exact_marginals_are_differentiated_exactly(
        theta in prop::collection::vec(-2.0..2.0_f64, DIM),
        grad in prop::collection::vec(-1.0..1.0_f64, DIM),
        tau in 0.3..3.0_f64,
    ) {
        let states = subsets(DIM, 2);
        let with_tau = || Sampling { tau: tau.into(), ..sampling(1, NoNoise) };
        let exact = |lambda, difference| {
            let exact = Exact { states: Some(subsets(DIM, 2)), lambda, difference };
            pass(exact, with_tau(), k_subset(DIM, 2), &theta, (&grad).into())
        };
        let (mu, gradient) = exact(None, Difference::OneSided);
        // The oracle's marginals are those of the list.
        for difference in [Difference::OneSided, Difference::Central] {
            let asked = Exact { states: None, lambda: Some(0.5), difference };
            let (mu, gradient) = pass(asked, with_tau(), k_subset(DIM, 2), &theta, (&grad).into());
            let listed = exact(Some(0.5), difference);
            assert_close(&mu, &listed.0, 1e-9);
            assert_close(&gradient, &listed.1, 1e-9);
        }
        let marginals = |theta: &[f64]| Distribution::gibbs(&states, theta, tau).unwrap().mean();
        prop_assert_eq!(&mu, &marginals(&theta));
        assert_close(&gradient, &numeric(&theta, &grad, marginals), 1e-6);
        // Domke's rule comes as close as its order: lambda, or its square.
        assert_close(&exact(Some(1e-4), Difference::OneSided).1, &gradient, 1e-2);
        assert_close(&exact(Some(1e-4), Difference::Central).1, &gradient, 1e-6);
    }

    #[test]
    fn a_relative_lambda_does_not_see_how_the_loss_is_reduced(
        theta in prop::collection::vec(-2.0..2.0_f64, 3 * DIM),
        grad_z in prop::collection::vec(-1.0..1.0_f64, 6 * DIM),
        power in -20..20_i32,
    ) {
        // Powers of two, so that the steps are the same to the last bit.
        let scaled: Vec<f64> = grad_z.iter().map(|grad| grad * f64::from(power).exp2()).collect();
        let imle = || Imle { target: Arc::new(RelativePid::new(1.0)), ..Imle::default() };
        let a = pass(imle(), sampling(2, Gumbel), k_subset(DIM, 2), &theta, (&grad_z).into());
        let b = pass(imle(), sampling(2, Gumbel), k_subset(DIM, 2), &theta, (&scaled).into());
        prop_assert_eq!(a, b);
    }

    #[test]
    fn a_relative_temperature_does_not_see_the_scale_of_theta(
        theta in prop::collection::vec(-2.0..2.0_f64, 3 * DIM),
        power in 0..20_i32,
    ) {
        prop_assume!(theta.chunks(DIM).all(|row| row.iter().any(|theta| (theta - row[0]).abs() > 0.5)));
        let scaled: Vec<f64> = theta.iter().map(|theta| theta * f64::from(power).exp2()).collect();
        let settings = || Sampling { tau: Temperature::relative(0.8), ..sampling(6, Gumbel) };
        let states = |theta: &[f64]| {
            let layer = Layer::new(k_subset(DIM, 2), StraightThrough, settings()).unwrap();
            layer.forward(theta, 2).unwrap().z().to_vec()
        };
        prop_assert_eq!(states(&theta), states(&scaled));
    }
}

#[test]
fn the_loss_of_a_straight_through_relaxation_sees_map_states() {
    let theta = numbers(4 * DIM, 1);
    let grad = numbers(4 * 3 * DIM, 2);
    let run = |straight_through| {
        let soft_sub = SoftSub {
            straight_through,
            temperature: 0.7,
        };
        pass(
            soft_sub,
            sampling(3, Gumbel),
            k_subset(DIM, 2),
            &theta,
            (&grad).into(),
        )
    };
    let (soft, hard) = (run(false), run(true));
    let map = pass(
        StraightThrough,
        sampling(3, Gumbel),
        k_subset(DIM, 2),
        &theta,
        (&grad).into(),
    );
    assert_eq!(hard.0, map.0);
    assert_ne!(soft.0, hard.0);
    assert_eq!(soft.1, hard.1);
}

#[test]
fn tau_is_a_number_or_relative_in_a_file() {
    let read = |tau: &str| {
        let read = serde_json::from_str::<Sampling>(&format!(r#"{{"tau": {tau}}}"#));
        read.map(|sampling| sampling.tau)
    };
    assert_eq!(read("2").unwrap(), 2.0.into());
    assert_eq!(read("0.5").unwrap(), 0.5.into());
    assert_eq!(
        read(r#"{"relative": 0.5}"#).unwrap(),
        Temperature::relative(0.5)
    );
    let refused = |tau: &str| read(tau).unwrap_err().to_string();
    assert!(refused(r#"{"relativ": 0.5}"#).contains("unknown field `relativ`"));
    assert!(refused(r#""hot""#).contains("a number or `{ relative = number }`"));
    for tau in [Temperature::from(0.25), Temperature::relative(2.0)] {
        let sampling = Sampling {
            tau,
            ..Sampling::default()
        };
        let file = serde_json::to_string(&sampling).unwrap();
        assert_eq!(serde_json::from_str::<Sampling>(&file).unwrap().tau, tau);
    }
}
