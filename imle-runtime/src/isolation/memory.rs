//! The memory that a process and its worker share: the arrays of one call, each between pages that the worker
//! cannot touch.
//!
//! **Who touches it when.** Between calls the parent alone, during a call the worker alone, but for the first
//! page, which is atomic. A worker that does not keep to that spoils its own rows: the parent makes no reference
//! into this memory, reads plain numbers out of it once, and judges the copies.

use std::ffi::{c_char, c_void};
use std::io;
use std::os::fd::AsFd;
use std::ptr;

use imle_api::{Error, abi};
use memmap2::{MmapOptions, MmapRaw};
use rustix::mm::{MprotectFlags, mprotect};

use super::layout::{CANARY, LONGEST_MESSAGE, Layout, Section};
use super::turns::{Request, Turns, Verb};
use crate::plugin_checks::Returned;
use crate::plugin_oracle::LoadedOracle;

/// The first page: whose turn it is.
#[derive(Debug)]
pub(super) struct FirstPage(MmapRaw);

impl FirstPage {
    pub(super) fn size() -> usize {
        rustix::param::page_size()
    }

    /// Maps the first page of a file that has one.
    pub(super) fn map(file: impl AsFd) -> io::Result<Self> {
        let map = MmapOptions::new()
            .len(Self::size())
            .map_raw(&file.as_fd())?;
        Ok(Self(map))
    }

    pub(super) fn turns(&self) -> &Turns {
        // SAFETY: a page of the mapping, aligned, and never unmapped before; zeros when the file was made, and
        // atomic in every field.
        unsafe { &*self.0.as_mut_ptr().cast::<Turns>() }
    }
}

/// The arrays, as either side has them.
#[derive(Debug)]
pub(super) struct Shared {
    map: MmapRaw,
    layout: Layout,
    dim: usize,
    most_rows: usize,
}

impl Shared {
    /// Maps a file of the size of the layout.
    pub(super) fn map(file: impl AsFd, dim: usize) -> io::Result<Self> {
        let layout = Layout::new(dim);
        let map = MmapOptions::new().len(layout.size).map_raw(&file.as_fd())?;
        Ok(Self {
            map,
            layout,
            dim,
            most_rows: Layout::most_rows(dim),
        })
    }

    /// In the worker: takes away what it must not touch.
    pub(super) fn protect(&self) -> io::Result<()> {
        let page = rustix::param::page_size();
        let forbid = |from: usize, length: usize, flags| {
            let from = self.map.as_mut_ptr().wrapping_add(from).cast::<c_void>();
            // SAFETY: whole pages of our mapping, to which there are no references.
            unsafe { mprotect(from, length, flags) }
        };
        for section in self.layout.sections() {
            forbid(section.start - page, page, MprotectFlags::empty())?;
        }
        forbid(self.layout.size - page, page, MprotectFlags::empty())?;
        forbid(0, page, MprotectFlags::empty())?; // it is mapped once more
        let theta = self.layout.theta;
        Ok(forbid(
            theta.start,
            theta.end - theta.start,
            MprotectFlags::READ,
        )?)
    }

    /// Where an array of so many values begins.
    fn place<T>(&self, section: Section, count: usize) -> *mut T {
        let from = section.end - count * size_of::<T>();
        assert!(from >= section.start + size_of_val(&CANARY), "it has room");
        self.map.as_mut_ptr().wrapping_add(from).cast()
    }

    fn canary(&self, section: Section, bytes: usize) -> *mut u64 {
        let from = section.end - bytes - size_of_val(&CANARY);
        assert!(from >= section.start, "it has room");
        self.map.as_mut_ptr().wrapping_add(from).cast()
    }

    /// The arrays that the plugin writes, by the names of the header, with the sizes of their rows in bytes.
    fn outputs(&self) -> [(&'static str, Section, usize); 5] {
        let double = size_of::<f64>();
        [
            ("z or mu", self.layout.output, self.dim * double),
            ("objective or log_partition", self.layout.value, double),
            ("bound", self.layout.bound, double),
            ("radius", self.layout.radius, double),
            ("status", self.layout.status, size_of::<i32>()),
        ]
    }

    // ---- the parent's side ----

    /// Before a call: theta is there and all else as the header promises.
    pub(super) fn prepare(&mut self, theta: &[f64], rows: usize) {
        let to = self.place::<f64>(self.layout.theta, theta.len());
        // SAFETY: within the mapping, which is none of the caller's memory; the worker waits.
        unsafe { ptr::copy_nonoverlapping(theta.as_ptr(), to, theta.len()) };
        self.fill(self.layout.status, rows, abi::UNSET);
        self.fill(self.layout.value, rows, f64::NAN);
        self.fill(self.layout.bound, rows, f64::INFINITY);
        self.fill(self.layout.radius, rows, 0.0);
        self.fill(self.layout.lengths, rows, 0_u32);
        for (_, section, size) in self.outputs() {
            let to = self.canary(section, rows * size);
            // SAFETY: within the mapping; an array may begin at any multiple of 4.
            unsafe { to.cast::<[u64; 8]>().write_unaligned(CANARY) };
        }
    }

    fn fill<T: Copy>(&self, section: Section, count: usize, value: T) {
        let to = self.place::<T>(section, count);
        for row in 0..count {
            // SAFETY: within the array.
            unsafe { to.add(row).write(value) };
        }
    }

    /// How many of the rows of the running call have a status.
    pub(super) fn answered(&self, rows: usize) -> usize {
        let from = self.place::<i32>(self.layout.status, rows);
        // SAFETY: within the array; the worker may write meanwhile, and either value is an answer.
        let is_set = |&row: &usize| unsafe { from.add(row).read_volatile() } != abi::UNSET;
        (0..rows).filter(is_set).count()
    }

    /// After a call: what the plugin wrote about the rows, and their states or marginals.
    ///
    /// # Errors
    ///
    /// The array before which something was written.
    pub(super) fn take(
        &mut self,
        rows: usize,
        returned: &mut Returned,
        output: &mut [f64],
    ) -> Result<(), &'static str> {
        returned.clear(rows);
        self.read(self.layout.status, rows, &mut returned.status);
        self.read(self.layout.value, rows, &mut returned.value);
        self.read(self.layout.bound, rows, &mut returned.bound);
        self.read(self.layout.radius, rows, &mut returned.radius);
        for row in 0..rows {
            if !matches!(returned.status[row], abi::OK | abi::UNSET) {
                returned
                    .messages
                    .take(row as u64, &self.row_message(rows, row));
            }
        }
        let from = self.place::<f64>(self.layout.output, output.len());
        // SAFETY: within the mapping, which is none of the caller's memory.
        unsafe { ptr::copy_nonoverlapping(from, output.as_mut_ptr(), output.len()) };
        for (name, section, size) in self.outputs() {
            let from = self.canary(section, rows * size);
            // SAFETY: within the mapping; an array may begin at any multiple of 4.
            if unsafe { from.cast::<[u64; 8]>().read_unaligned() } != CANARY {
                return Err(name);
            }
        }
        Ok(())
    }

    fn read<T: Copy>(&self, section: Section, count: usize, to: &mut Vec<T>) {
        let from = self.place::<T>(section, count);
        to.clear();
        to.reserve(count);
        // SAFETY: `count` values within the mapping, integers or doubles, for which there is room.
        unsafe {
            ptr::copy_nonoverlapping(from, to.as_mut_ptr(), count);
            to.set_len(count);
        }
    }

    fn row_message(&self, rows: usize, row: usize) -> Vec<u8> {
        let lengths = self.place::<u32>(self.layout.lengths, rows);
        // SAFETY: within the array.
        let length = unsafe { lengths.add(row).read() };
        self.text(row, length)
    }

    /// The sentence of the call.
    pub(super) fn message(&self, length: u32) -> String {
        let text = self.text(self.most_rows, length);
        String::from_utf8_lossy(&text).into_owned()
    }

    fn text(&self, slot: usize, length: u32) -> Vec<u8> {
        let mut text = vec![0; (length as usize).min(LONGEST_MESSAGE)];
        // SAFETY: within the slot, which is none of the new vector's memory.
        unsafe { ptr::copy_nonoverlapping(self.slot(slot), text.as_mut_ptr(), text.len()) };
        text
    }

    fn slot(&self, slot: usize) -> *mut u8 {
        assert!(slot <= self.most_rows, "there is such a slot");
        let from = self.layout.texts.start + slot * LONGEST_MESSAGE;
        self.map.as_mut_ptr().wrapping_add(from)
    }

    // ---- the worker's side ----

    /// Lets the plugin work on the rows of a request, in place.
    pub(super) fn work(
        &self,
        oracle: &LoadedOracle,
        request: &Request,
        turns: &Turns,
    ) -> Result<(), Error> {
        let rows = request.rows as usize;
        let place = |section| self.place::<f64>(section, rows);
        let wide = |section| self.place::<f64>(section, rows * self.dim);
        let (theta, output) = (
            wide(self.layout.theta).cast_const(),
            wide(self.layout.output),
        );
        let status = self.place::<i32>(self.layout.status, rows);
        let stop = match request.may_stop {
            true => turns.stop().as_ptr().cast_const(),
            false => ptr::null(),
        };
        let mut call = RunningCall { shared: self, rows };
        let host = ptr::from_mut(&mut call).cast();
        match request.verb {
            Verb::Marginals => {
                let arguments = abi::MarginalsArguments {
                    struct_size: size_of::<abi::MarginalsArguments>() as u32,
                    flags: 0,
                    rows: rows as u64,
                    theta,
                    mu: output,
                    status,
                    log_partition: place(self.layout.value),
                    time_limit: request.time_limit,
                    stop,
                    row_message: Some(take_row_message),
                    host,
                };
                // SAFETY: arrays of the mapping with the lengths that the header asks for.
                oracle.with_workspace(|workspace| unsafe {
                    oracle.ask_marginals(workspace.workspace, &arguments)
                })
            }
            _ => {
                let arguments = abi::SolveArguments {
                    struct_size: size_of::<abi::SolveArguments>() as u32,
                    flags: 0,
                    rows: rows as u64,
                    theta,
                    z: output,
                    status,
                    objective: place(self.layout.value),
                    bound: place(self.layout.bound),
                    radius: place(self.layout.radius),
                    time_limit: request.time_limit,
                    stop,
                    row_message: Some(take_row_message),
                    host,
                };
                // SAFETY: arrays of the mapping with the lengths that the header asks for.
                oracle.with_workspace(|workspace| unsafe {
                    oracle.ask_states(workspace.workspace, &arguments)
                })
            }
        }
    }

    /// Leaves the sentence of the call for the parent; returns its length.
    pub(super) fn say(&self, text: &str) -> u32 {
        self.write_text(self.most_rows, text.as_bytes())
    }

    fn write_text(&self, slot: usize, text: &[u8]) -> u32 {
        let text = &text[..text.len().min(LONGEST_MESSAGE)];
        // SAFETY: within the slot, which is not where the text lies.
        unsafe { ptr::copy_nonoverlapping(text.as_ptr(), self.slot(slot), text.len()) };
        text.len() as u32
    }
}

/// What the plugin hands back with a message for a row.
struct RunningCall<'a> {
    shared: &'a Shared,
    rows: usize,
}

unsafe extern "C" fn take_row_message(
    host: *mut c_void,
    row: u64,
    text: *const c_char,
    length: u64,
) {
    if host.is_null() || text.is_null() {
        return;
    }
    // SAFETY: `host` is what the running call passed, used by the plugin's thread alone.
    let call = unsafe { &*host.cast::<RunningCall<'_>>() };
    let Some(row) = usize::try_from(row).ok().filter(|row| *row < call.rows) else {
        return; // there is no such row
    };
    let length = (length as usize).min(LONGEST_MESSAGE);
    // SAFETY: the plugin vouches for `length` readable bytes at `text`.
    let text = unsafe { std::slice::from_raw_parts(text.cast::<u8>(), length) };
    let length = call.shared.write_text(row, text);
    let lengths = call
        .shared
        .place::<u32>(call.shared.layout.lengths, call.rows);
    // SAFETY: within the array.
    unsafe { lengths.add(row).write(length) };
}
