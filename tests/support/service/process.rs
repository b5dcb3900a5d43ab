//! Child processes that never outlive the test process, however it ends.

use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, OnceLock, mpsc},
    thread,
};

/// A running program. Killed when dropped.
pub struct Process {
    child: Child,
    output: Arc<Mutex<Vec<String>>>,
}

type Request = (Command, mpsc::Sender<std::io::Result<Child>>);

/// The signal at the parent's death goes by the thread that spawned, so all children are spawned
/// by one thread that lives as long as the process.
fn spawner() -> &'static Mutex<mpsc::Sender<Request>> {
    static SPAWNER: OnceLock<Mutex<mpsc::Sender<Request>>> = OnceLock::new();
    SPAWNER.get_or_init(|| {
        let (sender, requests) = mpsc::channel::<Request>();
        thread::spawn(move || {
            for (mut command, answer) in requests {
                let _ = answer.send(command.spawn());
            }
        });
        Mutex::new(sender)
    })
}

impl Process {
    /// Starts a program. What it writes is kept, and printed when a test fails.
    pub fn spawn(mut command: Command) -> Process {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        #[allow(unsafe_code, reason = "prctl is safe between fork and exec")]
        unsafe {
            command.pre_exec(|| {
                nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)
                    .map_err(std::io::Error::from)
            });
        }
        let (answer, spawned) = mpsc::channel();
        spawner().lock().unwrap().send((command, answer)).unwrap();
        let mut child = spawned.recv().unwrap().expect("the program starts");
        let output = Arc::new(Mutex::new(Vec::new()));
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        keep_lines(stdout, output.clone());
        keep_lines(stderr, output.clone());
        Process { child, output }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its resident memory, in bytes.
    pub fn memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.unwrap().split_whitespace().next().unwrap();
        kib.parse::<usize>().unwrap() * 1024
    }

    /// Everything it has written so far.
    pub fn output(&self) -> String {
        self.output.lock().unwrap().join("\n")
    }

    /// The first line written so far that holds `text`.
    pub fn line_with(&self, text: &str) -> Option<String> {
        let output = self.output.lock().unwrap();
        output.iter().find(|line| line.contains(text)).cloned()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(self.pid() as i32);
        let _ = nix::sys::signal::kill(pid, signal);
    }

    /// Kills it as `kill -9` does, and waits until it is gone.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<std::process::ExitStatus> {
        self.child.try_wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let output = self.output();
        let lines: Vec<&str> = output.lines().collect();
        let kept = if thread::panicking() { 60 } else { 0 };
        let (before, tail) = lines.split_at(lines.len().saturating_sub(kept));
        // A panic of the program is worth a look whatever became of the test. What was said at it
        // stands in the next line.
        for pair in before.windows(2) {
            if pair[0].contains("panicked at") {
                eprintln!("  | {}\n  | {}", pair[0], pair[1]);
            }
        }
        if thread::panicking() {
            for line in tail {
                eprintln!("  | {line}");
            }
        }
        self.kill();
    }
}

fn keep_lines(from: impl std::io::Read + Send + 'static, to: Arc<Mutex<Vec<String>>>) {
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            to.lock().unwrap().push(line);
        }
    });
}
