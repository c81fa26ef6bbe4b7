//! What takes too long.

use std::thread::sleep;
use std::time::Duration;

use imle_api::{Error, Proof};

use crate::{Row, defects};

fn forever() -> ! {
    loop {
        std::hint::spin_loop();
    }
}

defects! {
    Loops "loops" "loops without end and looks at no limit" {
        fn act(&self, _: Row<'_>) -> Result<Proof, Error> {
            forever()
        }
    }
    LoopsPolitely "loops-politely" "loops until a limit is reached" {
        fn act(&self, row: Row<'_>) -> Result<Proof, Error> {
            loop {
                row.limits.check()?;
            }
        }
    }
    Sleeps "sleeps" "sleeps for two seconds and looks at no limit" {
        fn act(&self, _: Row<'_>) -> Result<Proof, Error> {
            sleep(Duration::from_secs(2));
            Ok(Proof::NONE)
        }
    }
    LoopsInCreate "loops-in-create" "loops without end while an instance is made" {
        fn create(&self, _: usize) -> Result<(), Error> {
            forever()
        }
    }
    LoopsInDestroy "loops-in-destroy" "loops without end while an instance is destroyed" {
        fn destroy(&self) {
            forever()
        }
    }
}
