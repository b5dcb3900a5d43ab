//! A client of server reflection, in both of its versions.

use prost::Message;
use prost_reflect::DescriptorPool;
use prost_types::FileDescriptorProto;
use std::collections::{BTreeMap, BTreeSet};
use tonic::{
    Status,
    transport::{Channel, Endpoint},
};
use tonic_reflection::pb::{v1, v1alpha};

/// Which version of the protocol.
#[derive(Clone, Copy, Debug)]
pub enum Version {
    /// `grpc.reflection.v1`.
    V1,
    /// `grpc.reflection.v1alpha`, which older tools speak.
    V1Alpha,
}

/// A connection to a server's reflection.
pub struct Reflection {
    channel: Channel,
    version: Version,
}

/// What is asked.
enum Ask {
    Services,
    Symbol(String),
    File(String),
}

/// What is answered.
enum Answer {
    Services(BTreeSet<String>),
    Files(Vec<Vec<u8>>),
}

/// Asks once by one version: the messages of both have the same names, but are different types.
macro_rules! ask {
    ($pb:ident, $channel:expr, $ask:expr) => {{
        use $pb::{
            ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
            server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
        };
        let asked = match $ask {
            Ask::Services => MessageRequest::ListServices(String::new()),
            Ask::Symbol(name) => MessageRequest::FileContainingSymbol(name),
            Ask::File(name) => MessageRequest::FileByFilename(name),
        };
        let request = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(asked),
        };
        let mut client = ServerReflectionClient::new($channel.clone());
        let requests = futures::stream::iter([request]);
        let mut answers = client.server_reflection_info(requests).await?.into_inner();
        let answer = answers.message().await?.expect("an answer");
        match answer.message_response.expect("what was asked for") {
            MessageResponse::ListServicesResponse(list) => {
                let services = list.service.into_iter();
                Ok(Answer::Services(
                    services.map(|service| service.name).collect(),
                ))
            }
            MessageResponse::FileDescriptorResponse(found) => {
                Ok(Answer::Files(found.file_descriptor_proto))
            }
            other => panic!("unexpected: {other:?}"),
        }
    }};
}

impl Reflection {
    /// Of the server at `host:port`.
    pub async fn connect(address: &str, version: Version) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        let channel = endpoint.connect().await.unwrap();
        Self { channel, version }
    }

    /// The names of all services.
    pub async fn services(&mut self) -> BTreeSet<String> {
        match self.ask(Ask::Services).await.unwrap() {
            Answer::Services(names) => names,
            Answer::Files(_) => panic!("files were not asked for"),
        }
    }

    /// The name of the file that describes a symbol.
    pub async fn file_of(&mut self, symbol: &str) -> Result<String, Status> {
        let file = self.file(Ask::Symbol(symbol.to_owned())).await?;
        Ok(FileDescriptorProto::decode(file.as_slice())
            .unwrap()
            .name()
            .to_owned())
    }

    /// Everything that these symbols need. Fails where a type cannot be resolved.
    pub async fn pool(&mut self, symbols: impl Iterator<Item = &str>) -> DescriptorPool {
        let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let mut open: Vec<Ask> = symbols.map(|name| Ask::Symbol(name.to_owned())).collect();
        while let Some(ask) = open.pop() {
            let bytes = self.file(ask).await.expect("what another file names");
            let file = FileDescriptorProto::decode(bytes.as_slice()).unwrap();
            for dependency in &file.dependency {
                if !files.contains_key(dependency) {
                    open.push(Ask::File(dependency.clone()));
                }
            }
            files.insert(file.name().to_owned(), bytes);
        }
        // As bytes: custom options are lost when a file is decoded by prost. The pool wants all
        // files of a set at once, in any order.
        let mut set = Vec::new();
        for bytes in files.values() {
            prost::encoding::bytes::encode(1, bytes, &mut set);
        }
        DescriptorPool::decode(set.as_slice()).expect("every type is there")
    }

    async fn file(&mut self, ask: Ask) -> Result<Vec<u8>, Status> {
        match self.ask(ask).await? {
            Answer::Files(files) => Ok(files.into_iter().next().expect("a file")),
            Answer::Services(_) => panic!("services were not asked for"),
        }
    }

    async fn ask(&mut self, ask: Ask) -> Result<Answer, Status> {
        match self.version {
            Version::V1 => ask!(v1, self.channel, ask),
            Version::V1Alpha => ask!(v1alpha, self.channel, ask),
        }
    }
}
