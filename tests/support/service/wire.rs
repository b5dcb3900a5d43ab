//! Calls by name, with requests and answers as JSON: for tests that go through all RPCs alike.

use crate::PATIENCE;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};
use serde_json::Value;
use tokio::time::Instant;
use tonic::{
    Code, Request, Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    metadata::MetadataMap,
    transport::{Channel, Endpoint},
};

/// The contract, as this test was built with it.
pub fn contract() -> DescriptorPool {
    DescriptorPool::decode(orders::FILE_DESCRIPTOR_SET).unwrap()
}

/// The RPCs of the contract.
pub fn methods(pool: &DescriptorPool) -> Vec<MethodDescriptor> {
    let services = pool.services();
    let ours = services.filter(|service| service.package_name() == "orders.v1");
    ours.flat_map(|service| service.methods().collect::<Vec<_>>())
        .collect()
}

/// A client that knows the contract by its descriptors only.
#[derive(Clone)]
pub struct Wire {
    channel: Channel,
    pool: DescriptorPool,
}

/// An answer, the first one of a stream.
#[derive(Debug)]
pub struct Answer {
    /// The message.
    pub body: Value,
    /// The message, as it came.
    pub bytes: Vec<u8>,
    /// What came before and after it.
    pub metadata: MetadataMap,
}

impl Answer {
    /// Whether it carries the trailer of a request that was answered before.
    pub fn is_replayed(&self) -> bool {
        let replayed = self.metadata.get("orders-replayed");
        replayed.is_some_and(|value| value == "true")
    }
}

impl Wire {
    /// To the server at `host:port`.
    pub async fn connect(address: &str) -> Wire {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        Wire {
            channel: endpoint.connect().await.unwrap(),
            pool: contract(),
        }
    }

    /// Calls an RPC by its short name. `timeout` is a `grpc-timeout`, as in `300m`. tonic's client
    /// looks at it, too, and on a busy machine may give up just before the server's answer comes:
    /// then it asks again.
    pub async fn call(
        &self,
        rpc: &str,
        request: &Value,
        timeout: Option<&str>,
    ) -> Result<Answer, Status> {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.call_once(rpc, request, timeout).await {
                Err(status) if status.code() == Code::Cancelled && Instant::now() < end => {}
                answer => return answer,
            }
        }
    }

    async fn call_once(
        &self,
        rpc: &str,
        request: &Value,
        timeout: Option<&str>,
    ) -> Result<Answer, Status> {
        let mut methods = methods(&self.pool).into_iter();
        let method = methods.find(|method| method.name() == rpc).expect("an RPC");
        let path = format!("/{}/{rpc}", method.parent_service().full_name());
        let message = DynamicMessage::deserialize(method.input(), request)
            .unwrap_or_else(|error| panic!("{rpc} {request}: {error}"));
        let mut request = Request::new(prost::Message::encode_to_vec(&message));
        if let Some(timeout) = timeout {
            let timeout = timeout.parse().unwrap();
            request.metadata_mut().insert("grpc-timeout", timeout);
        }
        let mut client = tonic::client::Grpc::new(self.channel.clone());
        client.ready().await.expect("a connection");
        let path = path.parse().unwrap();
        let (bytes, metadata) = match method.is_server_streaming() {
            false => {
                let (metadata, bytes, _) = client.unary(request, path, Raw).await?.into_parts();
                (bytes, metadata)
            }
            true => {
                let answers = client.server_streaming(request, path, Raw).await?;
                let (metadata, mut answers, _) = answers.into_parts();
                (answers.message().await?.unwrap_or_default(), metadata)
            }
        };
        let message = DynamicMessage::decode(method.output(), bytes.as_slice()).unwrap();
        let body = serde_json::to_value(&message).unwrap();
        Ok(Answer {
            body,
            bytes,
            metadata,
        })
    }
}

/// Messages as they are on the wire.
#[derive(Clone, Copy)]
pub struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        prost::bytes::BufMut::put_slice(to, &item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        use prost::bytes::Buf;
        let bytes = from.copy_to_bytes(from.remaining());
        Ok(Some(bytes.to_vec()))
    }
}
