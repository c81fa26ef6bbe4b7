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
    let in_time = ends_by(&mut child, deadline);
    let status = end(&mut child)?;
    let said = receiver.recv_timeout(limit).unwrap_or_default();
    let died = match in_time {
        true if status.success() => None,
        true => Some(how(status)),
        false => {
            let seconds = limit.as_secs_f64();
            Some(format!("it did not end within {seconds} s, and was killed"))
        }
    };
    Ok(Ended { said, died })
}

fn ends_by(child: &mut Child, deadline: Instant) -> bool {
    while !has_ended(child) {
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(LOOK);
    }
    true
}

/// Whether a child has ended. Its status is not collected: until then its number, which is also that of its group, is
/// nobody else's.
#[cfg(unix)]
fn has_ended(child: &mut Child) -> bool {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    !matches!(
        waitid(WaitId::Pid(Pid::from_child(child)), options),
        Ok(None)
    )
}

#[cfg(not(unix))]
fn has_ended(child: &mut Child) -> bool {
    !matches!(child.try_wait(), Ok(None))
}

/// Kills what is left of a child and of all that it started, and then collects its status.
fn end(child: &mut Child) -> io::Result<ExitStatus> {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process_group};
        // Mostly there is nobody left.
        let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    }
    let _ = child.kill();
    child.wait()
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn looking_whether_a_child_has_ended_leaves_its_status_to_be_collected() {
        let mut child = Command::new("sh").args(["-c", "exit 7"]).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        assert!(ends_by(&mut child, deadline));
        assert!(has_ended(&mut child), "it can be asked again");
        // Somebody of that number is there to be signalled: the child, and not whoever came after it.
        rustix::process::test_kill_process(rustix::process::Pid::from_child(&child)).unwrap();
        assert_eq!(end(&mut child).unwrap().code(), Some(7));
    }
}
