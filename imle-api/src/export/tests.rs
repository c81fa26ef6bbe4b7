//! What a host that breaks a rule, is older, or meets a panic gets to see, for the extension for marginals.

use super::*;
use crate::MarginalsFn;

/// One coordinate, on or off; a row above 100 panics.
struct Switch;

impl Switch {
    fn marginals(
        &self,
        _: &mut (),
        theta: &[f64],
        mu: &mut [f64],
        _: &Limits<'_>,
    ) -> Result<f64, Error> {
        assert!(theta[0] <= 100.0, "too hot");
        mu[0] = 1.0 / (1.0 + (-theta[0]).exp());
        Ok(theta[0].exp().ln_1p())
    }
}

impl Solver for Switch {
    const NAME: &'static str = "switch";
    const SUMMARY: &'static str = "on or off";
    const MARGINALS: Option<MarginalsFn<Self>> = Some(Self::marginals);
    type Config = ();
    type Workspace = ();

    fn new((): ()) -> Result<Self, Error> {
        Ok(Self)
    }

    fn facts(&self) -> Facts {
        Facts::binary(1)
    }

    fn solve(
        &self,
        (): &mut (),
        theta: &[f64],
        z: &mut [f64],
        _: &Limits<'_>,
    ) -> Result<Proof, Error> {
        z[0] = f64::from(theta[0] > 0.0);
        Ok(Proof::NONE)
    }
}

/// The same without marginals.
struct Plain;

impl Solver for Plain {
    const NAME: &'static str = "plain";
    const SUMMARY: &'static str = "on or off";
    type Config = ();
    type Workspace = ();

    fn new((): ()) -> Result<Self, Error> {
        Ok(Self)
    }

    fn facts(&self) -> Facts {
        Facts::binary(1)
    }

    fn solve(&self, (): &mut (), _: &[f64], z: &mut [f64], _: &Limits<'_>) -> Result<Proof, Error> {
        z[0] = 0.0;
        Ok(Proof::NONE)
    }
}

/// Asks the extension of a fresh instance, with arguments as `change` leaves them and one workspace for
/// all of `calls` calls; returns the status of each call, and of each row after the last.
fn ask(
    calls: usize,
    change: impl Fn(&mut abi::MarginalsArguments),
) -> (Vec<i32>, [i32; 3], [f64; 3]) {
    let solver = solver_table::<Switch>();
    let (mut instance, mut workspace) = (ptr::null_mut(), ptr::null_mut());
    let (theta, mut mu, mut log_partition) = ([0.0, 200.0, 1.0], [f64::NAN; 3], [f64::NAN; 3]);
    let mut status = [abi::UNSET; 3];
    let mut arguments = abi::MarginalsArguments {
        struct_size: size_of::<abi::MarginalsArguments>() as u32,
        flags: 0,
        rows: 3,
        theta: theta.as_ptr(),
        mu: mu.as_mut_ptr(),
        status: status.as_mut_ptr(),
        log_partition: log_partition.as_mut_ptr(),
        time_limit: 0.0,
        stop: ptr::null(),
        row_message: None,
        host: ptr::null_mut(),
    };
    change(&mut arguments);
    let no_sink = ptr::null_mut();
    // SAFETY: this is a host that follows the header, but for what `change` does, which the plugin checks.
    let returned = unsafe {
        let create = solver.create.expect("it is there");
        assert_eq!(create(c"null".as_ptr(), 4, &mut instance, no_sink), abi::OK);
        let make = solver.workspace_create.expect("it is there");
        assert_eq!(make(instance, &mut workspace, no_sink), abi::OK);
        let table = solver.extension.expect("it is there")(abi::MARGINALS.as_ptr());
        let table = abi::read_struct(table.cast::<abi::Marginals>()).expect("it is large enough");
        let marginals = table.marginals.expect("it is there");
        let returned = (0..calls).map(|_| marginals(instance, workspace, &arguments, no_sink));
        let returned = returned.collect();
        solver.workspace_destroy.expect("it is there")(workspace);
        solver.destroy.expect("it is there")(instance);
        returned
    };
    (returned, status, mu)
}

#[test]
fn a_panic_costs_its_row_and_poisons_the_workspace() {
    let (panic, poisoned) = (ErrorKind::Panic.code(), ErrorKind::Poisoned.code());
    let (returned, status, mu) = ask(2, |_| {});
    assert_eq!(returned, [panic, poisoned]);
    assert_eq!(status, [abi::OK, panic, abi::UNSET]);
    assert_eq!(mu[0], 0.5);
}

#[test]
fn arguments_of_an_unknown_kind_are_refused_whole() {
    type Change = fn(&mut abi::MarginalsArguments);
    let refusals: [(Change, ErrorKind); 5] = [
        (|it| it.struct_size -= 8, ErrorKind::AbiMismatch),
        (|it| it.flags = 1, ErrorKind::Unsupported),
        (|it| it.rows = u64::MAX, ErrorKind::InvalidInput),
        (|it| it.theta = ptr::null(), ErrorKind::InvalidInput),
        (|it| it.mu = ptr::null_mut(), ErrorKind::InvalidInput),
    ];
    for (change, kind) in refusals {
        let (returned, status, _) = ask(1, change);
        assert_eq!(returned, [kind.code()]);
        assert_eq!(status, [abi::UNSET; 3], "{kind}");
    }
}

#[test]
fn a_host_may_be_newer() {
    let (returned, status, mu) = ask(1, |it| {
        it.struct_size += 64; // nothing behind what this side knows is read
        it.rows = 1;
    });
    assert_eq!((returned, status[0], mu[0]), (vec![abi::OK], abi::OK, 0.5));
}

#[test]
fn an_extension_is_there_if_the_solver_has_it() {
    for (id, is_there) in [
        (abi::MARGINALS, [true, false]),
        (c"imle.marginals/2", [false, false]),
        (c"", [false, false]),
    ] {
        // SAFETY: texts that end with a NUL.
        let found = unsafe {
            [
                extension::<Switch>(id.as_ptr()),
                extension::<Plain>(id.as_ptr()),
            ]
        };
        assert_eq!(found.map(|table| !table.is_null()), is_there, "{id:?}");
    }
}
