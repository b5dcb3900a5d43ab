//! A provider with a simulation around it.

use super::{Faults, draw, failed_attempts};
use crate::provider::{
    Call, FraudProvider, InventoryProvider, Parcel, PaymentProvider, ProviderError, Receipt,
    ShippingProvider,
};
use async_trait::async_trait;
use orders_domain::{
    movement::{Movement, MovementKind},
    payment_method::PaymentToken,
};
use orders_store::ledger::Ledger;
use std::{sync::Arc, time::Duration};

/// Longer than any attempt may take.
const FOR_EVER: Duration = Duration::from_secs(24 * 3600);

pub(super) struct Simulated<P: ?Sized> {
    inner: Arc<P>,
    faults: Faults,
    seed: u64,
}

impl<P: ?Sized> Simulated<P> {
    pub(super) fn new(inner: Arc<P>, faults: Faults, seed: u64) -> Self {
        Self {
            inner,
            faults,
            seed,
        }
    }

    /// Whether the attempt comes through at all; if so, whether its answer does.
    fn comes_through(&self, call: &Call<'_>) -> Result<bool, ProviderError> {
        let Faults {
            error,
            hang,
            lost,
            latency,
            decline_above: _,
            lost_first,
            only,
        } = self.faults;
        if only.is_some_and(|step| step != call.effect.step) {
            return Ok(true);
        }
        let draw = draw(self.seed, call);
        if draw < error {
            let failed = format!("simulated: {} failed", call.effect.step);
            return Err(ProviderError::Failed(failed));
        }
        if draw < error + hang {
            return Err(ProviderError::Wait(FOR_EVER));
        }
        if !latency.is_zero() && !call.waited {
            return Err(ProviderError::Wait(latency));
        }
        Ok(draw >= error + hang + lost && failed_attempts(call) >= lost_first)
    }

    async fn around<T>(
        &self,
        call: &Call<'_>,
        inner: impl Future<Output = Result<T, ProviderError>> + Send,
    ) -> Result<T, ProviderError> {
        let answered = self.comes_through(call)?;
        match inner.await {
            // The answers that the provider itself gives can be lost.
            Ok(_) | Err(ProviderError::Refused(_) | ProviderError::Failed(_)) if !answered => {
                let lost = format!("simulated: the answer to {} was lost", call.effect.step);
                Err(ProviderError::NoAnswer(lost))
            }
            answer => answer,
        }
    }

    fn decline(&self, call: &Call<'_>) -> Result<(), ProviderError> {
        let limit = self.faults.decline_above;
        match limit.filter(|units| call.order.total.exceeds_units(*units)) {
            Some(units) => Err(ProviderError::Refused(format!(
                "simulated: payments above {units} are declined"
            ))),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl PaymentProvider for Simulated<dyn PaymentProvider> {
    async fn perform(
        &self,
        ledger: &mut Ledger<'_>,
        call: &Call<'_>,
        movement: &Movement,
        token: Option<&PaymentToken>,
    ) -> Result<Receipt, ProviderError> {
        let inner = async {
            if matches!(
                movement.kind,
                MovementKind::Authorize | MovementKind::Charge
            ) {
                self.decline(call)?;
            }
            self.inner.perform(ledger, call, movement, token).await
        };
        self.around(call, inner).await
    }

    async fn resolve(
        &self,
        ledger: &mut Ledger<'_>,
        call: &Call<'_>,
        movement: &Movement,
    ) -> Result<Option<Receipt>, ProviderError> {
        let inner = self.inner.resolve(ledger, call, movement);
        self.around(call, inner).await
    }
}

#[async_trait]
impl InventoryProvider for Simulated<dyn InventoryProvider> {
    async fn reserve(
        &self,
        ledger: &mut Ledger<'_>,
        call: &Call<'_>,
    ) -> Result<String, ProviderError> {
        self.around(call, self.inner.reserve(ledger, call)).await
    }

    async fn commit(&self, ledger: &mut Ledger<'_>, call: &Call<'_>) -> Result<(), ProviderError> {
        self.around(call, self.inner.commit(ledger, call)).await
    }

    async fn release(
        &self,
        ledger: &mut Ledger<'_>,
        call: &Call<'_>,
    ) -> Result<bool, ProviderError> {
        self.around(call, self.inner.release(ledger, call)).await
    }
}

#[async_trait]
impl ShippingProvider for Simulated<dyn ShippingProvider> {
    async fn prepare(
        &self,
        ledger: &mut Ledger<'_>,
        call: &Call<'_>,
    ) -> Result<Parcel, ProviderError> {
        self.around(call, self.inner.prepare(ledger, call)).await
    }

    async fn request_pickup(
        &self,
        ledger: &mut Ledger<'_>,
        call: &Call<'_>,
    ) -> Result<Parcel, ProviderError> {
        self.around(call, self.inner.request_pickup(ledger, call))
            .await
    }

    async fn redirect(
        &self,
        ledger: &mut Ledger<'_>,
        call: &Call<'_>,
    ) -> Result<(), ProviderError> {
        self.around(call, self.inner.redirect(ledger, call)).await
    }

    async fn dispatch(
        &self,
        ledger: &mut Ledger<'_>,
        call: &Call<'_>,
    ) -> Result<Parcel, ProviderError> {
        self.around(call, self.inner.dispatch(ledger, call)).await
    }

    async fn cancel(
        &self,
        ledger: &mut Ledger<'_>,
        call: &Call<'_>,
    ) -> Result<bool, ProviderError> {
        self.around(call, self.inner.cancel(ledger, call)).await
    }
}

#[async_trait]
impl FraudProvider for Simulated<dyn FraudProvider> {
    async fn screen(&self, ledger: &mut Ledger<'_>, call: &Call<'_>) -> Result<(), ProviderError> {
        self.around(call, self.inner.screen(ledger, call)).await
    }
}
