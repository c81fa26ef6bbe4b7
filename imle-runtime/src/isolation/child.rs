//! A child process with its group, and its end.

use std::process::{Child, ExitStatus};

use rustix::process::{Pid, Signal};

use super::death::Cause;

/// A child process and its group, ended when this is dropped.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) child: Child,
    /// How it ended, once it was collected: from then on its id may be somebody else's.
    status: Option<ExitStatus>,
    /// Who started it: in a fork of that process it is somebody else's child.
    owner: u32,
}

impl Process {
    pub(super) fn new(child: Child) -> Self {
        Self {
            child,
            status: None,
            owner: std::process::id(),
        }
    }

    /// Kills it and all that it started, if there are any, and collects it. One that is ending by itself keeps
    /// the status that it ends with.
    pub(super) fn end(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() && self.owner == std::process::id() {
            // Its group is its own since before it ran. Whoever is dead cannot be killed.
            let group = Pid::from_child(&self.child);
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
            // By itself, too: one that has left its group would be waited for, for ever.
            let _ = self.child.kill();
            self.status = self.child.wait().ok();
        }
        self.status
    }

    /// How it ended.
    pub(super) fn end_of(&mut self) -> Cause {
        self.end().map_or(Cause::Unknown, Cause::Ended)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}
