//! The program beside this one that does the same in Python, and takes its turns when asked.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::timing::Contender;

/// A running `peers/serve.py`.
pub(crate) struct Peers {
    talk: RefCell<Talk>,
    names: Vec<String>,
}

struct Talk {
    child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peers {
    /// Starts it with a Python that has what `peers/requirements.txt` lists, and prints what is missing.
    pub(crate) fn start(python: &str) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/report/peers/serve.py");
        let mut child = Command::new(python)
            .arg(script)
            // Settings for old libraries that make a current one slow.
            .env_remove("OPENBLAS_CORETYPE")
            .env_remove("OPENBLAS_L2_SIZE")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{python}: {error}"));
        let asks = child.stdin.take().expect("it is piped");
        let answers = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut talk = Talk {
            child,
            asks,
            answers,
        };
        let list = talk.ask("list");
        for (name, why) in list["missing"].as_object().into_iter().flatten() {
            println!("left out: {name}: {why}");
        }
        let names = list["names"].as_array().into_iter().flatten();
        let names = names.filter_map(|name| Some(name.as_str()?.to_owned()));
        Self {
            names: names.collect(),
            talk: RefCell::new(talk),
        }
    }

    /// What one of them computes; `None` where it is missing.
    pub(crate) fn check(&self, name: &str) -> Option<Value> {
        self.names.iter().any(|known| known == name).then(|| {
            let mut talk = self.talk.borrow_mut();
            talk.ask(&format!("check {name}"))
        })
    }

    /// One of them, to be measured; `None` where it is missing.
    pub(crate) fn contender(&self, name: &str, things: usize) -> Option<Contender<'_>> {
        self.names.iter().any(|known| known == name).then(|| {
            let name = name.to_owned();
            Contender::timed(things, move |runs| {
                let took = self.talk.borrow_mut().ask(&format!("time {name} {runs}"));
                Duration::from_secs_f64(took.as_f64().expect("a time"))
            })
        })
    }
}

impl Talk {
    fn ask(&mut self, line: &str) -> Value {
        let mut answer = String::new();
        let asked = writeln!(self.asks, "{line}").and_then(|()| self.asks.flush());
        let answered = asked.and_then(|()| self.answers.read_line(&mut answer));
        answered.unwrap_or_else(|error| panic!("{line}: {error}"));
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{line}: {answer:?}: {error}"))
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        // It has nothing to lose, and ends with this program anyway.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
