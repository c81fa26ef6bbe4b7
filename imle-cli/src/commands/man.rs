//! `imle man`: the manual.

use std::path::PathBuf;

use clap::Args;
use clap_mangen::Man as Page;
use serde_json::json;

use crate::arguments::{Common, command_line};
use crate::failure::{Exit, Failure};
use crate::output::{print, print_json};

/// Print the manual page, or write all of them to a folder
///
/// `imle man | man -l -` shows the page of the whole; a folder gets a page for each command.
#[derive(Args, Debug)]
pub(crate) struct Man {
    /// Write all pages to this folder
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(&self, common: &Common) -> Result<(), Failure> {
        if let Some(folder) = &self.folder {
            std::fs::create_dir_all(folder)
                .and_then(|()| clap_mangen::generate_to(command_line(), folder))
                .map_err(|why| Failure::file(folder.display(), why))?;
            return match common.json {
                true => print_json(&json!({"folder": folder})),
                false => Ok(()),
            };
        }
        let mut page = Vec::new();
        Page::new(command_line())
            .render(&mut page)
            .map_err(|why| Failure::new(Exit::File, why))?;
        let page = String::from_utf8_lossy(&page);
        match common.json {
            true => print_json(&json!({"page": page})),
            false => print(page),
        }
    }
}
