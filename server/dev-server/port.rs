//! Where the dev server listens.

use crate::error::{DevServerError, system};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

/// The web UI's port is this much above.
const UI_OFFSET: u16 = 1000;

/// Where the dev server listens, all on this machine only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    /// For gRPC.
    pub(crate) grpc: SocketAddr,
    /// For the web UI, if it is wanted.
    pub(crate) ui: Option<SocketAddr>,
}

impl Ports {
    /// The preferred ports, or free ones where those are taken. Somebody else may still be quicker
    /// than the child.
    pub(crate) fn choose(preferred: u16, ui: bool) -> Result<Ports, DevServerError> {
        let no_port = || system("no free port on 127.0.0.1");
        // Both stay bound until both are known, or they could be the same.
        let grpc = bind(preferred).map_err(no_port())?;
        let ui_port = match preferred {
            0 => 0,
            port => port.checked_add(UI_OFFSET).unwrap_or(0),
        };
        let ui = ui.then(|| bind(ui_port)).transpose().map_err(no_port())?;
        Ok(Ports {
            grpc: grpc.local_addr().map_err(no_port())?,
            ui: ui
                .map(|ui| ui.local_addr())
                .transpose()
                .map_err(no_port())?,
        })
    }
}

fn bind(preferred: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, preferred))
        .or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
}

/// Whether this process itself listens at `address`. False also where that cannot be seen (not on
/// Linux, or the CLI is a script that runs the real one).
pub(crate) fn listens(pid: u32, address: SocketAddr) -> bool {
    let SocketAddr::V4(address) = address else {
        return false;
    };
    // As in proc_net_tcp(5): the address as the machine keeps it, in hexadecimal; 0A is LISTEN.
    let raw = u32::from_ne_bytes(address.ip().octets());
    let local = format!("{raw:08X}:{:04X}", address.port());
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let inode = table.lines().find_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let ours = columns.get(1) == Some(&local.as_str()) && columns.get(3) == Some(&"0A");
        ours.then(|| columns.get(9).map(|inode| format!("socket:[{inode}]")))
            .flatten()
    });
    let Some(inode) = inode else {
        return false;
    };
    let open = std::fs::read_dir(format!("/proc/{pid}/fd"));
    open.into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .any(|target| target.as_os_str() == inode.as_str())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn taken_ports_are_replaced() {
        // A pair that was free a moment ago, with its UI port.
        let taken = bind(0).unwrap();
        let port = taken.local_addr().unwrap().port();
        let ports = Ports::choose(port, true).unwrap();
        assert_ne!(ports.grpc.port(), port);
        assert_ne!(ports.ui.unwrap().port(), ports.grpc.port());
        drop(taken);
        assert_eq!(Ports::choose(port, false).unwrap().grpc.port(), port);
        assert!(Ports::choose(port, false).unwrap().ui.is_none());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn who_listens_is_seen() {
        let listener = bind(0).unwrap();
        let address = listener.local_addr().unwrap();
        assert!(listens(std::process::id(), address));
        let mut other = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        assert!(!listens(other.id(), address));
        other.kill().unwrap();
        other.wait().unwrap();
        drop(listener);
        assert!(!listens(std::process::id(), address));
    }
}
