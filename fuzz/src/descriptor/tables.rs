//! The tables of a plugin, from bytes.

use std::ffi::c_char;
use std::ptr;

use imle_api::abi;

use super::super::bytes::Bytes;
use super::functions;

/// A struct with room behind it, so that whatever size it states is there to be read.
#[repr(C)]
struct Roomy<T> {
    table: T,
    room: [u64; 32],
}

impl<T> Roomy<T> {
    fn new(table: T) -> Self {
        let room = [u64::MAX; 32];
        Self { table, room }
    }
}

/// Everything that the pointers of a plugin lead to.
pub(super) struct Tables {
    plugin: Box<Roomy<abi::Plugin>>,
    marginals: Box<Roomy<abi::Marginals>>,
    /// What the functions return for the two.
    pub(super) entry: Way,
    pub(super) extension: Way,
    _solvers: Vec<Roomy<abi::Solver>>,
    _array: Vec<*const abi::Solver>,
    _texts: Vec<u8>,
}

/// What a pointer is.
#[derive(Clone, Copy)]
pub(super) enum Way {
    There,
    Null,
    NotAligned,
}

impl Way {
    fn of(bytes: &mut Bytes) -> Self {
        match bytes.byte() {
            0xff => Self::Null,
            0xfe => Self::NotAligned,
            _ => Self::There,
        }
    }

    fn to<T>(self, place: *const T) -> *const T {
        match self {
            Self::There => place,
            Self::Null => ptr::null(),
            Self::NotAligned => place.wrapping_byte_add(1),
        }
    }
}

impl Tables {
    pub(super) fn of(bytes: &mut Bytes) -> Self {
        let texts = texts(bytes);
        let solvers: Vec<_> = (0..bytes.byte() % 4)
            .map(|_| Roomy::new(solver(bytes, &texts)))
            .collect();
        let solver_count = bytes.integer();
        // A host may read as many pointers as the table claims, if it believes the number.
        let pointers = solver_count.min(1 << 16) as usize;
        let array: Vec<*const abi::Solver> = (0..=pointers)
            .map(|at| match solvers.get(at % solvers.len().max(1)) {
                Some(solver) if at < solvers.len() => Way::of(bytes).to(&raw const solver.table),
                Some(solver) => &raw const solver.table,
                None => ptr::null(),
            })
            .collect();
        let plugin = abi::Plugin {
            struct_size: bytes.byte().into(),
            abi_minor: bytes.byte().into(),
            flags: bytes.byte().into(),
            reserved: bytes.byte().into(),
            name: text(bytes, &texts),
            version: text(bytes, &texts),
            license: text(bytes, &texts),
            solver_count,
            solvers: Way::of(bytes).to(array.as_ptr()),
        };
        let marginals = abi::Marginals {
            struct_size: bytes.byte().into(),
            reserved: bytes.byte().into(),
            marginals: there(bytes).then_some(functions::marginals),
        };
        Self {
            plugin: Box::new(Roomy::new(plugin)),
            marginals: Box::new(Roomy::new(marginals)),
            entry: Way::of(bytes),
            extension: Way::of(bytes),
            _solvers: solvers,
            _array: array,
            _texts: texts,
        }
    }

    pub(super) fn plugin(&self) -> *const abi::Plugin {
        self.entry.to(&raw const self.plugin.table)
    }

    pub(super) fn marginals(&self) -> *const abi::Marginals {
        self.extension.to(&raw const self.marginals.table)
    }
}

/// Some bytes, of which any zero ends a text, and a last zero.
fn texts(bytes: &mut Bytes) -> Vec<u8> {
    let mut texts = bytes.text();
    texts.push(0);
    texts
}

fn text(bytes: &mut Bytes, texts: &[u8]) -> *const c_char {
    match usize::from(bytes.byte()) {
        0xff => ptr::null(),
        at => texts[at % texts.len()..].as_ptr().cast(),
    }
}

fn there(bytes: &mut Bytes) -> bool {
    bytes.byte() != 0xff
}

fn solver(bytes: &mut Bytes, texts: &[u8]) -> abi::Solver {
    abi::Solver {
        struct_size: bytes.byte().into(),
        reserved: bytes.byte().into(),
        name: text(bytes, texts),
        summary: text(bytes, texts),
        serial_group: text(bytes, texts),
        config_schema: there(bytes).then_some(functions::config_schema),
        create: there(bytes).then_some(functions::create),
        destroy: there(bytes).then_some(functions::destroy),
        info: there(bytes).then_some(functions::info),
        workspace_create: there(bytes).then_some(functions::workspace_create),
        workspace_destroy: there(bytes).then_some(functions::workspace_destroy),
        solve: there(bytes).then_some(functions::solve),
        extension: there(bytes).then_some(functions::extension),
    }
}
