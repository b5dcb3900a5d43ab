//! A payment provider outside of the server, as a user of the server would write one: it keeps its own
//! books, by key. It can misbehave as networks and payment systems do, and it remembers who asked what.

use crate::certificates::{Authority, Issued};
use orders::google::r#type::Money;
use orders::provider::v1::{
    Accepted, AuthorizeRequest, AuthorizeResponse, CaptureRequest, CaptureResponse, ChargeRequest,
    ChargeResponse, Declined, Movement, Outcome, RefundRequest, RefundResponse, ResolveRequest,
    ResolveResponse, VoidRequest, VoidResponse, outcome,
    payment_provider_service_server::{PaymentProviderService, PaymentProviderServiceServer},
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex},
};
use tokio::{net::TcpListener, sync::Notify};
use tonic::{
    Request, Response, Status,
    transport::{Certificate, Identity, Server, ServerTlsConfig, server::TcpIncoming},
};

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// As it should.
    Good,
    /// It is done, and the answer is lost.
    Lost,
    /// It is not done, and nobody hears of that.
    Silent,
    /// It fails, and says that nothing was done.
    Failed,
    /// It is not done, and never will be, for the reason of [`PaymentProvider::decline_for`].
    Declined,
    /// It is done, and answered with the id of [`PaymentProvider::call_it`].
    Misnamed,
    /// It is done for a cent less than was asked for.
    Short,
    /// It is held until [`PaymentProvider::let_go`], then done, and nobody hears of it.
    Held,
}

/// What moved under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// AUTHORIZE, CAPTURE, CHARGE, REFUND or VOID.
    pub kind: &'static str,
    /// Of which payment.
    pub payment_id: String,
    /// Minor units.
    pub amount: i64,
    /// What it builds on: the token, or an earlier transaction.
    pub on: String,
}

#[derive(Default)]
struct Books {
    moved: BTreeMap<String, Moved>,
    closed: BTreeSet<String>,
    /// How the next calls of a kind end.
    manners: BTreeMap<&'static str, VecDeque<Manner>>,
    /// How all other calls of a kind end.
    always: BTreeMap<&'static str, Manner>,
    /// Why it declines; not with this card, if nothing else was said.
    reason: String,
    /// Its name for what it calls by a wrong one.
    name: String,
    /// Every call, by kind and key.
    calls: Vec<(&'static str, String)>,
    /// Whether the first call of every key goes wrong, and how.
    first: Option<Manner>,
}

/// A running provider. Ends with the test's runtime.
#[derive(Clone, Default)]
pub struct PaymentProvider {
    /// Where it is, as `--payment-provider` wants it.
    pub url: String,
    books: Arc<Mutex<Books>>,
    go: Arc<Notify>,
}

impl PaymentProvider {
    /// Starts one on a free port.
    pub async fn start() -> PaymentProvider {
        PaymentProvider::serve("http", Server::builder()).await
    }

    /// Starts one that speaks TLS, to clients with a certificate of an authority.
    pub async fn start_tls(own: &Issued, clients: &Authority) -> PaymentProvider {
        let tls = ServerTlsConfig::new()
            .identity(Identity::from_pem(&own.certificate, &own.key))
            .client_ca_root(Certificate::from_pem(clients.pem()));
        let server = Server::builder().tls_config(tls).unwrap();
        PaymentProvider::serve("https", server).await
    }

    async fn serve(scheme: &str, mut server: Server) -> PaymentProvider {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = PaymentProvider {
            url: format!("{scheme}://{}", listener.local_addr().unwrap()),
            ..PaymentProvider::default()
        };
        let service = PaymentProviderServiceServer::new(provider.clone());
        let server = server.add_service(service);
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        provider
    }

    /// The next calls of that kind (AUTHORIZE, ..., RESOLVE) end like this.
    pub fn next(&self, kind: &'static str, manners: &[Manner]) {
        let mut books = self.books.lock().unwrap();
        books.manners.entry(kind).or_default().extend(manners);
    }

    /// All calls of that kind end like this, until something else is said.
    pub fn always(&self, kind: &'static str, manner: Manner) {
        self.books.lock().unwrap().always.insert(kind, manner);
    }

    /// Why [`Manner::Declined`] declines.
    pub fn decline_for(&self, reason: &str) {
        self.books.lock().unwrap().reason = reason.to_owned();
    }

    /// What [`Manner::Misnamed`] calls a movement.
    pub fn call_it(&self, name: &str) {
        self.books.lock().unwrap().name = name.to_owned();
    }

    /// The first call of every key, and the first question for it, end like this.
    pub fn first_of_each(&self, manner: Manner) {
        self.books.lock().unwrap().first = Some(manner);
    }

    /// Lets the held calls go on.
    pub fn let_go(&self) {
        self.go.notify_waiters();
    }

    /// How often something of that kind moved for the payment, and how much in all.
    pub fn sum(&self, payment_id: &str, kind: &str) -> (usize, i64) {
        let books = self.books.lock().unwrap();
        let of = books
            .moved
            .values()
            .filter(|moved| moved.payment_id == payment_id);
        let amounts: Vec<i64> = of.filter(|m| m.kind == kind).map(|m| m.amount).collect();
        (amounts.len(), amounts.iter().sum())
    }

    /// What moved under a key.
    pub fn moved(&self, key: &str) -> Option<Moved> {
        self.books.lock().unwrap().moved.get(key).cloned()
    }

    /// How often it was asked for something of that kind under a key.
    pub fn calls(&self, kind: &str, key: &str) -> usize {
        let books = self.books.lock().unwrap();
        let same = |call: &&(&'static str, String)| call.0 == kind && call.1 == key;
        books.calls.iter().filter(same).count()
    }

    fn manner(&self, kind: &'static str, key: &str) -> Manner {
        let mut books = self.books.lock().unwrap();
        let new = !books
            .calls
            .iter()
            .any(|call| *call == (kind, key.to_owned()));
        books.calls.push((kind, key.to_owned()));
        let own = books.manners.get_mut(kind).and_then(VecDeque::pop_front);
        let always = books.always.get(kind).copied();
        own.or(books.first.filter(|_| new))
            .or(always)
            .unwrap_or(Manner::Good)
    }

    async fn movement(
        &self,
        kind: &'static str,
        movement: Option<Movement>,
        on: String,
    ) -> Result<Option<Outcome>, Status> {
        let movement = movement.ok_or_else(|| Status::invalid_argument("no movement"))?;
        let key = movement.idempotency_key.clone();
        let lost = || Err(Status::unavailable("the answer is lost"));
        match self.manner(kind, &key) {
            Manner::Good => Ok(self.perform(kind, movement, on)),
            Manner::Lost => {
                self.perform(kind, movement, on);
                lost()
            }
            Manner::Silent => lost(),
            Manner::Failed => Err(Status::resource_exhausted("come again")),
            Manner::Declined => Ok(Some(declined(&self.books.lock().unwrap().reason))),
            Manner::Misnamed => {
                self.perform(kind, movement, on);
                let books = self.books.lock().unwrap();
                let amount = books.moved.get(&key).map_or(0, |moved| moved.amount);
                Ok(Some(accepted(&books.name, amount)))
            }
            Manner::Short => {
                self.perform(kind, movement, on);
                let mut books = self.books.lock().unwrap();
                let moved = books.moved.get_mut(&key).unwrap();
                moved.amount -= 1;
                Ok(Some(accepted(&format!("outside-{key}"), moved.amount)))
            }
            Manner::Held => {
                let (provider, go) = (self.clone(), self.go.clone());
                // It goes on when the caller has long given up.
                let held = tokio::spawn(async move {
                    go.notified().await;
                    provider.perform(kind, movement, on);
                });
                let _ = held.await;
                lost()
            }
        }
    }

    fn perform(&self, kind: &'static str, movement: Movement, on: String) -> Option<Outcome> {
        let mut books = self.books.lock().unwrap();
        let key = movement.idempotency_key;
        let amount = movement.amount.unwrap();
        let minor = amount.units * 100 + i64::from(amount.nanos) / 10_000_000;
        if books.closed.contains(&key) || on == "tok-declined" {
            return Some(declined("not with this card"));
        }
        let moved = Moved {
            kind,
            payment_id: movement.payment_id,
            amount: minor,
            on,
        };
        let before = books
            .moved
            .entry(key.clone())
            .or_insert_with(|| moved.clone());
        assert_eq!(*before, moved, "{key} is asked for something else");
        Some(accepted(&format!("outside-{key}"), minor))
    }
}

fn accepted(name: &str, minor: i64) -> Outcome {
    let amount = Money {
        currency_code: "USD".to_owned(),
        units: minor / 100,
        nanos: i32::try_from(minor % 100).unwrap() * 10_000_000,
    };
    Outcome {
        result: Some(outcome::Result::Accepted(Accepted {
            transaction_id: name.to_owned(),
            amount: Some(amount),
        })),
    }
}

fn declined(reason: &str) -> Outcome {
    let reason = reason.to_owned();
    Outcome {
        result: Some(outcome::Result::Declined(Declined { reason })),
    }
}

#[tonic::async_trait]
impl PaymentProviderService for PaymentProvider {
    async fn authorize(
        &self,
        request: Request<AuthorizeRequest>,
    ) -> Result<Response<AuthorizeResponse>, Status> {
        let asked = request.into_inner();
        let outcome = self.movement("AUTHORIZE", asked.movement, asked.payment_token);
        let outcome = outcome.await?;
        Ok(Response::new(AuthorizeResponse { outcome }))
    }

    async fn capture(
        &self,
        request: Request<CaptureRequest>,
    ) -> Result<Response<CaptureResponse>, Status> {
        let asked = request.into_inner();
        let outcome = self.movement("CAPTURE", asked.movement, asked.authorization_id);
        let outcome = outcome.await?;
        Ok(Response::new(CaptureResponse { outcome }))
    }

    async fn charge(
        &self,
        request: Request<ChargeRequest>,
    ) -> Result<Response<ChargeResponse>, Status> {
        let asked = request.into_inner();
        let outcome = self.movement("CHARGE", asked.movement, asked.payment_token);
        let outcome = outcome.await?;
        Ok(Response::new(ChargeResponse { outcome }))
    }

    async fn refund(
        &self,
        request: Request<RefundRequest>,
    ) -> Result<Response<RefundResponse>, Status> {
        let asked = request.into_inner();
        let outcome = self.movement("REFUND", asked.movement, asked.capture_id);
        let outcome = outcome.await?;
        Ok(Response::new(RefundResponse { outcome }))
    }

    async fn void(&self, request: Request<VoidRequest>) -> Result<Response<VoidResponse>, Status> {
        let asked = request.into_inner();
        let outcome = self.movement("VOID", asked.movement, asked.authorization_id);
        let outcome = outcome.await?;
        Ok(Response::new(VoidResponse { outcome }))
    }

    async fn resolve(
        &self,
        request: Request<ResolveRequest>,
    ) -> Result<Response<ResolveResponse>, Status> {
        let key = request.into_inner().idempotency_key;
        let manner = self.manner("RESOLVE", &key);
        if matches!(manner, Manner::Failed | Manner::Silent | Manner::Held) {
            return Err(Status::unavailable("nobody knows"));
        }
        let outcome = {
            let mut books = self.books.lock().unwrap();
            match books.moved.get(&key) {
                Some(moved) => Some(accepted(&format!("outside-{key}"), moved.amount)),
                None => {
                    books.closed.insert(key);
                    None
                }
            }
        };
        match manner {
            Manner::Lost => Err(Status::unavailable("the answer is lost")),
            _ => Ok(Response::new(ResolveResponse { outcome })),
        }
    }
}
