//! Runs what `#[test]` marks, in place of the standard harness: one by one, each
//! on a thread of its own, and reports each to the parent process.
#![feature(test)]
extern crate test;

use std::any::Any;
use std::ffi::CString;
use std::io::Write;
use std::os::raw::{c_char, c_int};
use std::panic;
use std::sync::Mutex;
use test::{ShouldPanic, TestDescAndFn, TestFn};

extern "C" {
    fn gt_begin(file: *const c_char, name: *const c_char) -> c_int;
    fn gt_end(status: c_char, message: *const c_char);
    fn _exit(code: c_int) -> !;
    fn gt_report(kind: c_char, status: *const c_char, message: *const c_char);
}

/// What the last panic said, and where.
static SAID: Mutex<(String, String)> = Mutex::new((String::new(), String::new()));

/// What a test function may answer with.
pub trait Answer {
    fn error(self) -> Option<String>;
}
impl Answer for () {
    fn error(self) -> Option<String> {
        None
    }
}
impl Answer for Result<(), String> {
    fn error(self) -> Option<String> {
        self.err()
    }
}

fn text(payload: &(dyn Any + Send)) -> String {
    if let Some(s) = payload.downcast_ref::<&str>() {
        s.to_string()
    } else if let Some(s) = payload.downcast_ref::<String>() {
        s.clone()
    } else {
        String::from("a panic without a text")
    }
}

fn plain(s: &str) -> CString {
    CString::new(s.replace('\0', "\u{2400}")).unwrap_or_default()
}

fn end(status: u8, message: &str) {
    let message = plain(message);
    let _ = std::io::stdout().flush();
    unsafe { gt_end(status as c_char, message.as_ptr()) }
}

fn call<A: Answer + Send + 'static>(f: fn() -> A, name: &str) -> Result<Option<String>, String> {
    let body = move || f().error();
    let thread = std::thread::Builder::new().name(name.to_string()).spawn(body);
    match thread {
        Ok(t) => t.join().map_err(|p| text(&*p)),
        Err(_) => panic::catch_unwind(body).map_err(|p| text(&*p)),
    }
}

/// Runs the tests of a file. The standard harness would be called like this.
pub fn run(tests: &[&TestDescAndFn]) {
    // Set when the program starts, before anything of the submission runs.
    let file = std::env::args().next().unwrap_or_default();
    let file = file.strip_prefix("/room/.judge/t/").unwrap_or(&file).to_string();
    let skipped = std::env::var("GT_RUN_IGNORED").is_ok();
    panic::set_hook(Box::new(|info| {
        let at = info.location().map(|l| format!("{}:{}:{}", l.file(), l.line(), l.column())).unwrap_or_default();
        if let Ok(mut said) = SAID.lock() {
            *said = (text(info.payload()), at);
        }
    }));
    let file = plain(&file);
    for t in tests {
        let name = t.desc.name.as_slice();
        let id = plain(name);
        let _ = std::io::stdout().flush();
        if unsafe { gt_begin(file.as_ptr(), id.as_ptr()) } == 0 {
            continue;
        }
        if t.desc.ignore && !skipped {
            end(b's', t.desc.ignore_message.unwrap_or(""));
            continue;
        }
        if let Ok(mut said) = SAID.lock() {
            *said = Default::default();
        }
        let outcome = match t.testfn {
            TestFn::StaticTestFn(f) => call(f, name),
            _ => {
                end(b's', "a benchmark");
                continue;
            }
        };
        let at = SAID.lock().map(|s| s.1.clone()).unwrap_or_default();
        match (t.desc.should_panic, outcome) {
            (ShouldPanic::No, Ok(None)) => end(b'p', ""),
            (_, Ok(Some(error))) => end(b'f', &format!("returned\x1f{error}")),
            (ShouldPanic::No, Err(why)) => end(b'f', &format!("panic\x1f{at}\x1f{why}")),
            (ShouldPanic::Yes, Err(_)) => end(b'p', ""),
            (ShouldPanic::YesWithMessage(want), Err(why)) if why.contains(want) => end(b'p', ""),
            (ShouldPanic::YesWithMessage(want), Err(why)) => end(b'f', &format!("otherwise\x1f{want}\x1f{why}")),
            (_, Ok(None)) => end(b'f', "silent"),
        }
    }
    unsafe { gt_report(b'D' as c_char, std::ptr::null(), std::ptr::null()) };
    // Nothing of the submission's runs after the last report.
    unsafe { _exit(0) };
}
