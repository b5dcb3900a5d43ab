//! The same request is sent again while that is safe and helps.

use orders::v1::{
    AdjustStockRequest, AdjustStockResponse, GetStockItemRequest, GetStockItemResponse,
    ListStockItemsRequest, ListStockItemsResponse, ListSupplierOrdersRequest,
    ListSupplierOrdersResponse, SetStockItemRequest, SetStockItemResponse,
    inventory_service_server::{InventoryService, InventoryServiceServer},
};
use orders_test_support::{Cli, eventually, shared, sku, temporal};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::net::{TcpListener, TcpStream};
use tonic::{Code, Request, Response, Status, transport::Server};
use tonic_types::{ErrorDetails, StatusExt};

/// A server that is unavailable at first. It keeps the ids of the requests that it got.
#[derive(Clone, Default)]
struct Moody {
    seen: Arc<Mutex<Vec<String>>>,
}

#[tonic::async_trait]
impl InventoryService for Moody {
    async fn set_stock_item(
        &self,
        request: Request<SetStockItemRequest>,
    ) -> Result<Response<SetStockItemResponse>, Status> {
        let request = request.into_inner();
        let mut seen = self.seen.lock().unwrap();
        seen.push(request.request_id);
        let code = match seen.len() {
            1 => Code::Unavailable,
            2 => Code::ResourceExhausted,
            _ => {
                let stock_item = request.stock_item;
                return Ok(Response::new(SetStockItemResponse { stock_item }));
            }
        };
        let details = ErrorDetails::with_retry_info(Some(Duration::from_millis(20)));
        Err(Status::with_error_details(code, "not now", details))
    }

    async fn get_stock_item(
        &self,
        _: Request<GetStockItemRequest>,
    ) -> Result<Response<GetStockItemResponse>, Status> {
        // For ever, and not before a time that no command has.
        let details = ErrorDetails::with_retry_info(Some(Duration::from_secs(3_600)));
        Err(Status::with_error_details(
            Code::Unavailable,
            "come back later",
            details,
        ))
    }

    async fn list_stock_items(
        &self,
        _: Request<ListStockItemsRequest>,
    ) -> Result<Response<ListStockItemsResponse>, Status> {
        self.seen.lock().unwrap().push("list".to_owned());
        Err(Status::internal("broken"))
    }

    async fn adjust_stock(
        &self,
        _: Request<AdjustStockRequest>,
    ) -> Result<Response<AdjustStockResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn list_supplier_orders(
        &self,
        _: Request<ListSupplierOrdersRequest>,
    ) -> Result<Response<ListSupplierOrdersResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

async fn moody() -> (Moody, Cli) {
    let moody = Moody::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let cli = Cli::at(&listener.local_addr().unwrap().to_string());
    let service = InventoryServiceServer::new(moody.clone());
    let incoming = tonic::transport::server::TcpIncoming::from(listener);
    tokio::spawn(
        Server::builder()
            .add_service(service)
            .serve_with_incoming(incoming),
    );
    (moody, cli)
}

#[tokio::test(flavor = "multi_thread")]
async fn unavailable_is_tried_again_with_the_same_request_id() {
    let (moody, cli) = moody().await;
    let shown = cli.out(&[
        "stock",
        "set",
        "console",
        "--on-hand",
        "5",
        "--timeout",
        "30s",
    ]);
    assert!(shown.contains("console"), "{shown}");
    let seen = moody.seen.lock().unwrap();
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert!(
        seen.iter().all(|id| *id == seen[0] && id.len() == 36),
        "{seen:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_not_help_is_not_tried_again() {
    let (moody, cli) = moody().await;
    let later = cli.run(&["stock", "get", "console", "--timeout", "30s"]);
    assert_eq!(later.code, Some(6), "{later:?}");
    assert!(
        later.err.starts_with("orders: come back later\n"),
        "{later:?}"
    );
    let broken = cli.run(&["stock", "list"]);
    assert_eq!(broken.code, Some(1), "{broken:?}");
    assert_eq!(moody.seen.lock().unwrap().len(), 1);
    let missing = cli.run(&["stock", "supplier-orders"]);
    assert_eq!(missing.code, Some(1), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_meanwhile_is_found() {
    let server = shared().await;
    let sku = sku();
    server.client().await.stock(&sku, 5).await;
    let address = format!("127.0.0.1:{}", temporal::free_port());
    let mut command = Cli::at(&address).start(&["stock", "get", &sku, "--timeout", "60s"]);
    eventually("the client to say that nobody is there", async || {
        command.line_with("; trying for 60s")
    })
    .await;
    // From now on the server is there.
    let listener = TcpListener::bind(&address).await.unwrap();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = TcpStream::connect(&server.address).await.unwrap();
            tokio::spawn(async move {
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    let status = eventually("the client's end", async || command.ended()).await;
    assert_eq!(status.code(), Some(0), "{}", command.output());
    eventually("its answer", async || command.line_with(&sku)).await;
}
