//! A database far away: a TCP proxy that passes every byte on, a while later.

use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep_until},
};
use url::Url;

/// See the module. Ends, with all connections through it, when it is dropped.
pub struct Delay {
    task: AbortHandle,
}

impl Delay {
    /// Stands before the database of that URL, `delay` away in each direction; gives the URL through it.
    pub async fn before(url: &str, delay: Duration) -> (Delay, String) {
        let mut url = Url::parse(url).unwrap();
        let target = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port()))
            .unwrap();
        let task = tokio::spawn(serve(listener, target, delay)).abort_handle();
        (Delay { task }, url.into())
    }
}

impl Drop for Delay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, target: String, delay: Duration) {
    // Dropped with this task, and its tasks with it.
    let mut connections = JoinSet::new();
    loop {
        let Ok((client, _)) = listener.accept().await else {
            return;
        };
        let Ok(server) = TcpStream::connect(&target).await else {
            continue;
        };
        for stream in [&client, &server] {
            stream.set_nodelay(true).unwrap();
        }
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        connections.spawn(pass_on(from_client, to_server, delay));
        connections.spawn(pass_on(from_server, to_client, delay));
    }
}

/// Passes bytes on in their sequence, however many are under way.
async fn pass_on(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration) {
    let (sender, mut under_way) = mpsc::channel::<(Instant, Vec<u8>)>(1_024);
    let reading = async move {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let arrival = Instant::now() + delay;
            let bytes = buffer[..count].to_vec();
            if sender.send((arrival, bytes)).await.is_err() {
                return;
            }
        }
    };
    let writing = async move {
        while let Some((arrival, bytes)) = under_way.recv().await {
            sleep_until(arrival).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(reading, writing);
}
