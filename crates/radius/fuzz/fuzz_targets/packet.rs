#![no_main]
use std::cell::RefCell;

use radius::fuzzing::Fixture;

thread_local!(static FIXTURE: RefCell<Fixture> = RefCell::default());

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    FIXTURE.with_borrow_mut(|fixture| radius::fuzzing::packet(fixture, data));
});
