//! The law of the contract as a test that a plugin runs on itself.
