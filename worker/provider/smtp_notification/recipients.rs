//! Who gets a message: one address for each audience.

use super::CUSTOMER_ID;
use lettre::{Address, message::Mailbox};
use orders_domain::{message::Message, milestone::Audience};

/// The longest address that mail knows (RFC 5321, 4.5.3.1.3).
const ADDRESS_MOST: usize = 254;

/// The address of each audience; none for one that is not written to.
pub(super) struct Recipients {
    pub(super) customer: Template,
    pub(super) reviewers: Option<Address>,
    pub(super) fulfillment: Option<Address>,
}

/// The address of a customer, with [`CUSTOMER_ID`] in it.
pub(super) struct Template(String);

impl Recipients {
    /// Where a message goes. None for nowhere.
    ///
    /// # Errors
    /// When the customer's address is none.
    pub(super) fn of(&self, message: &Message) -> Result<Option<Address>, String> {
        match message.audience {
            Audience::Customer => self.customer.fill(&message.customer_id).map(Some),
            Audience::Reviewers => Ok(self.reviewers.clone()),
            Audience::Fulfillment => Ok(self.fulfillment.clone()),
        }
    }
}

impl Template {
    pub(super) fn parse(text: &str) -> Result<Template, String> {
        let template = Template(text.to_owned());
        let rest = text.replace(CUSTOMER_ID, "");
        let samples = ["ada", "ada@example.com"];
        if rest.contains(['{', '}']) || samples.iter().all(|id| template.fill(id).is_err()) {
            return Err(format!(
                "must be a mail address in which {CUSTOMER_ID} stands for the customer's id, \
                 or {CUSTOMER_ID} alone, not {text:?}"
            ));
        }
        Ok(template)
    }

    /// The address of a customer. Their id is a caller's word: whatever it is, the result is one
    /// address or none.
    pub(super) fn fill(&self, customer_id: &str) -> Result<Address, String> {
        address(&self.0.replace(CUSTOMER_ID, customer_id))
    }
}

/// One address, without a name.
pub(super) fn address(text: &str) -> Result<Address, String> {
    // Quoted local parts may hold anything, and nobody has one.
    let is_plain = |c: char| !c.is_control() && !c.is_whitespace() && !"\"\\<>(),;:".contains(c);
    let address = Some(text)
        .filter(|text| text.len() <= ADDRESS_MOST && text.chars().all(is_plain))
        .and_then(|text| text.parse().ok());
    address.ok_or_else(|| format!("must be one mail address, such as a@example.com, not {text:?}"))
}

/// One address, with or without a name.
pub(super) fn mailbox(text: &str) -> Result<Mailbox, String> {
    let mailbox = text.parse::<Mailbox>().ok();
    let mailbox = mailbox.filter(|mailbox| address(mailbox.email.as_ref()).is_ok());
    mailbox
        .filter(|_| !text.contains(char::is_control))
        .ok_or_else(|| {
            format!("must be one mail address, such as Shop <shop@example.com>, not {text:?}")
        })
}
