//! Persons, tokens, links, the audit and the keys.

use bytes::Bytes;
use postroom_domain::ids::{LinkId, PersonId, ServiceName, SessionId, TokenId};
use reqwest::header::IF_MATCH;
use reqwest::{Method, RequestBuilder, Response};

use super::{CALL, Client, ClientError, ClientResult, of_reqwest, refusal};
use crate::account::{MadeToken, SessionList, Sessions, TokenBody, TokenList, Tokens};
use crate::audit::{AuditList, AuditPage, ExportList, VerifyList, VerifyView};
use crate::capability::{Capabilities, CapabilityList};
use crate::decision::etag;
use crate::dms_account::{DmsAccountView, DmsAccounts};
use crate::keys::{KeysView, RotateBody};
use crate::link::{LinkList, LinkView, Links, Services};
use crate::page::Page;
use crate::person::{InvitationView, Me, NewPersonBody, PersonBody, PersonList, PersonView};

/// An export on its way.
#[derive(Debug)]
pub struct Download(pub(super) Response);

impl Download {
    /// The next piece; none at the end. An error means that the file is not whole.
    pub async fn piece(&mut self) -> ClientResult<Option<Bytes>> {
        self.0.chunk().await.map_err(|error| of_reqwest(&error))
    }
}

impl Client {
    /// An answer without a body.
    pub(super) async fn done(request: RequestBuilder) -> ClientResult<()> {
        let response = request.timeout(CALL).send().await.map_err(|error| of_reqwest(&error))?;
        if response.status().is_success() { Ok(()) } else { Err(refusal(response).await) }
    }

    /// Who is asking.
    pub async fn me(&self) -> ClientResult<Me> {
        self.get(&["me"], &[(); 0]).await
    }

    /// A page of persons.
    pub async fn persons(&self, list: &PersonList) -> ClientResult<Page<PersonView>> {
        self.get(&["persons"], list).await
    }

    /// A new person.
    pub async fn add_person(&self, body: &NewPersonBody) -> ClientResult<PersonView> {
        Self::send(self.request(Method::POST, &["persons"]).json(body).timeout(CALL)).await
    }

    /// One person.
    pub async fn person(&self, id: PersonId) -> ClientResult<PersonView> {
        self.get(&["persons", &id.to_string()], &[(); 0]).await
    }

    /// Changes a person in the version that was looked at.
    pub async fn change_person(
        &self,
        id: PersonId,
        version: u64,
        body: &PersonBody,
    ) -> ClientResult<PersonView> {
        let request =
            self.request(Method::PUT, &["persons", &id.to_string()]).header(IF_MATCH, etag(version));
        Self::send(request.json(body).timeout(CALL)).await
    }

    /// A one-time link for a person.
    pub async fn invite(&self, id: PersonId) -> ClientResult<InvitationView> {
        Self::send(self.request(Method::POST, &["persons", &id.to_string(), "invitation"]).timeout(CALL))
            .await
    }

    /// Ends a person's lock-out.
    pub async fn unlock(&self, id: PersonId) -> ClientResult<PersonView> {
        Self::send(self.request(Method::POST, &["persons", &id.to_string(), "unlock"]).timeout(CALL)).await
    }

    /// A person's accounts in the DMSs.
    pub async fn dms_accounts(&self, id: PersonId) -> ClientResult<DmsAccounts> {
        self.get(&["persons", &id.to_string(), "accounts"], &[(); 0]).await
    }

    /// Finds or makes a person's account in a DMS. The DMS is asked meanwhile, so only silence ends the wait.
    pub async fn make_dms_account(
        &self,
        id: PersonId,
        service: &ServiceName,
    ) -> ClientResult<DmsAccountView> {
        let path = ["persons", &id.to_string(), "accounts", service.as_str()];
        Self::send(self.request(Method::POST, &path)).await
    }

    /// Sessions.
    pub async fn sessions(&self, list: &SessionList) -> ClientResult<Sessions> {
        self.get(&["sessions"], list).await
    }

    /// Ends a session.
    pub async fn end_session(&self, id: SessionId) -> ClientResult<()> {
        Self::done(self.request(Method::DELETE, &["sessions", &id.to_string()])).await
    }

    /// Tokens.
    pub async fn tokens(&self, list: &TokenList) -> ClientResult<Tokens> {
        self.get(&["tokens"], list).await
    }

    /// A new token; its secret is in this answer only.
    pub async fn make_token(&self, body: &TokenBody) -> ClientResult<MadeToken> {
        Self::send(self.request(Method::POST, &["tokens"]).json(body).timeout(CALL)).await
    }

    /// Revokes a token.
    pub async fn revoke_token(&self, id: TokenId) -> ClientResult<()> {
        Self::done(self.request(Method::DELETE, &["tokens", &id.to_string()])).await
    }

    /// Linked services.
    pub async fn services(&self) -> ClientResult<Services> {
        self.get(&["services"], &[(); 0]).await
    }

    /// Links.
    pub async fn links(&self, list: &LinkList) -> ClientResult<Links> {
        self.get(&["links"], list).await
    }

    /// Removes a link.
    pub async fn remove_link(&self, id: LinkId) -> ClientResult<()> {
        Self::done(self.request(Method::DELETE, &["links", &id.to_string()])).await
    }

    /// Says that the linked account is the right one.
    pub async fn confirm_link(&self, id: LinkId, version: u64) -> ClientResult<LinkView> {
        let request = self.request(Method::POST, &["links", &id.to_string(), "confirm"]);
        Self::send(request.header(IF_MATCH, etag(version)).timeout(CALL)).await
    }

    /// A page of the audit.
    pub async fn audit(&self, list: &AuditList) -> ClientResult<AuditPage> {
        self.get(&["audit"], list).await
    }

    /// Verifies the audit. A long history takes a while, so only silence ends the wait.
    pub async fn verify_audit(&self, list: &VerifyList) -> ClientResult<VerifyView> {
        Self::send(self.request(Method::GET, &["audit", "verify"]).query(list)).await
    }

    /// Exports the audit.
    pub async fn export_audit(&self, list: &ExportList) -> ClientResult<Download> {
        let request = self.request(Method::GET, &["audit", "export"]).query(list);
        let response = request.send().await.map_err(|error: reqwest::Error| of_reqwest(&error))?;
        if response.status().is_success() {
            Ok(Download(response))
        } else {
            Err::<Download, ClientError>(refusal(response).await)
        }
    }

    /// Which keys there are.
    pub async fn keys(&self) -> ClientResult<KeysView> {
        self.get(&["keys"], &[(); 0]).await
    }

    /// Begins a change of keys; only a [`Client::local`] one may.
    pub async fn rotate_keys(&self, body: &RotateBody) -> ClientResult<KeysView> {
        Self::send(self.request(Method::POST, &["keys", "rotate"]).json(body)).await
    }

    /// What will not work.
    pub async fn capabilities(&self, list: &CapabilityList) -> ClientResult<Capabilities> {
        Self::send(self.request(Method::GET, &["capabilities"]).query(list)).await
    }
}
