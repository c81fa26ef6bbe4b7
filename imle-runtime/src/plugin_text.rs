//! What a plugin says: text it writes during a call, and status codes.

use std::ffi::{c_char, c_void};
use std::ptr;

use imle_api::{Error, ErrorKind, abi};

use crate::plugin_checks::RowMessages;

/// Text from a plugin is cut here: a sentence needs less, and a broken plugin may write for ever.
const LONGEST_MESSAGE: usize = 4 << 10;

pub(crate) fn check(status: i32, error: &TextSink) -> Result<(), Error> {
    match status {
        abi::OK => Ok(()),
        _ => Err(error_of(status, error.text())),
    }
}

pub(crate) fn error_of(status: i32, message: String) -> Error {
    match ErrorKind::from_code(status) {
        Some(kind) if message.is_empty() => Error::new(kind, "the plugin gives no reason"),
        Some(kind) => Error::new(kind, message),
        None => {
            let colon = if message.is_empty() { "" } else { ": " };
            let message = format!("status {status}, which this host does not know{colon}{message}");
            Error::new(ErrorKind::BackendFailed, message)
        }
    }
}

/// Takes text from a plugin.
// `sink` first: the plugin holds a pointer to it, and `write_text` goes back from there to the whole.
#[repr(C)]
pub(crate) struct TextSink {
    sink: abi::Sink,
    room: usize,
    text: Vec<u8>,
}

impl TextSink {
    pub(crate) fn new() -> Self {
        Self::with_room(LONGEST_MESSAGE)
    }

    pub(crate) fn with_room(room: usize) -> Self {
        Self {
            sink: abi::Sink {
                struct_size: size_of::<abi::Sink>() as u32,
                reserved: 0,
                write: Some(write_text),
            },
            room,
            text: Vec::new(),
        }
    }

    pub(crate) fn as_sink(&mut self) -> *mut abi::Sink {
        ptr::from_mut(self).cast()
    }

    /// Everything that was written; bytes that are not UTF-8 are replaced.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }
}

unsafe extern "C" fn write_text(sink: *mut abi::Sink, text: *const c_char, length: u64) {
    if sink.is_null() || text.is_null() {
        return;
    }
    // SAFETY: the plugin passes the sink that it got, which is the first field of a `TextSink`.
    let sink = unsafe { &mut *sink.cast::<TextSink>() };
    let length = (length as usize).min(sink.room - sink.text.len());
    // SAFETY: the plugin vouches for `length` readable bytes at `text`.
    let text = unsafe { std::slice::from_raw_parts(text.cast::<u8>(), length) };
    sink.text.extend_from_slice(text);
}

pub(crate) unsafe extern "C" fn take_row_message(
    host: *mut c_void,
    row: u64,
    text: *const c_char,
    length: u64,
) {
    if host.is_null() || text.is_null() {
        return;
    }
    // SAFETY: `host` is the list that the running call passed, used by the plugin's thread alone.
    let messages = unsafe { &mut *host.cast::<RowMessages>() };
    let length = (length as usize).min(LONGEST_MESSAGE);
    // SAFETY: the plugin vouches for `length` readable bytes at `text`.
    let text = unsafe { std::slice::from_raw_parts(text.cast::<u8>(), length) };
    messages.take(row, text);
}
