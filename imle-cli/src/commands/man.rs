//! `imle man`: the manual.

use std::path::PathBuf;

use clap::Args;
use clap_mangen::Man as Page;

use crate::arguments::command_line;
use crate::failure::{Exit, Failure};
use crate::output::print;

/// `imle man | man -l -` shows the page of the whole; a folder gets a page for each command.
#[derive(Args, Debug)]
pub(crate) struct Man {
    /// Write all pages to this folder
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        if let Some(folder) = &self.folder {
            return std::fs::create_dir_all(folder)
                .and_then(|()| clap_mangen::generate_to(command_line(), folder))
                .map_err(|why| Failure::file(folder.display(), why));
        }
        let mut page = Vec::new();
        Page::new(command_line())
            .render(&mut page)
            .map_err(|why| Failure::new(Exit::File, why))?;
        print(String::from_utf8_lossy(&page))
    }
}
