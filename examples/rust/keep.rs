// SPDX-License-Identifier: GPL-2.0-only
// Keeps values by names. Usage: keep LOG
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

struct Store {
    values: HashMap<String, String>,
    log: File,
}

impl Store {
    fn open(path: &str) -> Result<Store> {
        let mut values = HashMap::new();
        if let Ok(log) = File::open(path) {
            for line in BufReader::new(log).lines() {
                if let Some((name, value)) = line?.split_once(' ') {
                    values.insert(name.to_string(), value.to_string());
                }
            }
        }
        let log = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Store { values, log })
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        writeln!(self.log, "{name} {value}")?;
        self.log.sync_data()?;
        self.values.insert(name.to_string(), value.to_string());
        Ok(())
    }
}

fn serve(mut client: TcpStream, store: Arc<Mutex<Store>>) -> Result<()> {
    let lines = BufReader::new(client.try_clone()?).lines();
    for line in lines {
        let line = line?;
        let mut words = line.splitn(3, ' ');
        let answer = match (words.next(), words.next(), words.next()) {
            (Some("set"), Some(name), Some(value)) => {
                store.lock().unwrap().set(name, value)?;
                "ok".to_string()
            }
            (Some("get"), Some(name), None) => {
                let store = store.lock().unwrap();
                store.values.get(name).cloned().unwrap_or("none".to_string())
            }
            _ => "set NAME VALUE, or get NAME".to_string(),
        };
        writeln!(client, "{answer}")?;
    }
    Ok(())
}

fn main() -> Result<()> {
    let path = std::env::args().nth(1).expect("usage: keep LOG");
    let store = Arc::new(Mutex::new(Store::open(&path)?));
    for client in TcpListener::bind("0.0.0.0:7000")?.incoming() {
        let store = store.clone();
        let client = client?;
        std::thread::spawn(move || serve(client, store));
    }
    Ok(())
}
