//! The process of a child from outside: started, waited for, killed with everything that it started.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How often a child that has said something, or can no longer, is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// What became of a child.
pub(super) struct Ended {
    /// The line that it said.
    pub(super) said: String,
    /// How it died, if it did before its time.
    pub(super) died: Option<String>,
}

/// Starts a child, hands it a task, and waits. What takes longer than `limit` is killed.
pub(super) fn run(mut command: Command, task: &str, limit: Duration) -> io::Result<Ended> {
    // A group of its own, to end what it starts.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let deadline = Instant::now() + limit;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // A child that is dead already is seen below.
        let _ = input.write_all(task.as_bytes());
    }
    let (sender, receiver) = mpsc::channel();
    if let Some(output) = child.stdout.take() {
        std::thread::spawn(move || {
            // A line and not all there is: what the child started may keep the pipe open.
            let mut said = String::new();
            let _ = BufReader::new(output).read_line(&mut said);
            let _ = sender.send(said);
        });
    }
    let status = wait_until(&mut child, deadline);
    end_group(&mut child);
    let said = receiver.recv_timeout(limit).unwrap_or_default();
    let died = match status {
        Some(status) if status.success() => None,
        Some(status) => Some(how(status)),
        None => {
            let seconds = limit.as_secs_f64();
            Some(format!("it did not end within {seconds} s, and was killed"))
        }
    };
    Ok(Ended { said, died })
}

fn wait_until(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(LOOK),
            _ => return None,
        }
    }
}

fn end_group(child: &mut Child) {
    #[cfg(unix)]
    if let Ok(group) = i32::try_from(child.id()) {
        use nix::sys::signal::{Signal, killpg};
        // Mostly there is nobody left.
        let _ = killpg(nix::unistd::Pid::from_raw(group), Signal::SIGKILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// How a process ended that should not have.
fn how(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("the process was ended by {}", signal_name(signal));
    }
    match status.code() {
        Some(code) => format!("it ended the process with exit code {code}"),
        None => "the process ended".to_owned(),
    }
}

/// Such as `SIGSEGV`.
pub(super) fn signal_name(signal: i32) -> String {
    #[cfg(unix)]
    if let Ok(signal) = nix::sys::signal::Signal::try_from(signal) {
        return signal.to_string();
    }
    format!("signal {signal}")
}
