// SPDX-License-Identifier: GPL-2.0-only
// Rust: threads, files, TCP, a process, and a panic that unwinds.
use std::io::{Read, Write};

fn connection() -> std::io::Result<String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = std::thread::spawn(move || listener.accept()?.0.write_all(b"over TCP"));
    let mut answer = String::new();
    std::net::TcpStream::connect(address)?.read_to_string(&mut answer)?;
    server.join().unwrap()?;
    Ok(answer)
}

fn main() {
    if std::env::args().count() > 1 {
        return print!("a child");
    }
    let threads: Vec<_> = (0..8)
        .map(|_| std::thread::spawn(|| (0..50).map(|_| std::fs::read("/proc/self/stat").unwrap().len()).sum::<usize>()))
        .collect();
    let read: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    let child = std::process::Command::new("/proc/self/exe").arg("child").output().unwrap().stdout;
    let caught = std::panic::catch_unwind(|| assert_eq!(std::env::args().count(), 7)).is_err();
    println!("Rust: {} {} {} {}", read > 0, connection().unwrap(), String::from_utf8(child).unwrap(), caught);
}
