//! Choosing a place, and lists of targets.

use std::collections::BTreeMap;

use postroom_domain::ids::{ListName, ServiceName};
use reqwest::Method;

use super::{Client, ClientResult};
use crate::list::{ListsView, RowsView};
use crate::page::Page;
use crate::place::{
    Destinations, DocumentView, LibraryView, PartList, PlaceList, PlaceView, ValueList, ValueView,
};

impl Client {
    /// Every destination and what it offers.
    pub async fn destinations(&self) -> ClientResult<Destinations> {
        self.get(&["destinations"], &[(); 0]).await
    }

    /// The libraries, cabinets or sites of a destination.
    pub async fn libraries(&self, at: &ServiceName, part: &PartList) -> ClientResult<Page<LibraryView>> {
        self.get(&["destinations", at.as_str(), "libraries"], part).await
    }

    /// Places by words, or those of a list of one's own.
    pub async fn places(&self, at: &ServiceName, list: &PlaceList) -> ClientResult<Page<PlaceView>> {
        self.get(&["destinations", at.as_str(), "places"], list).await
    }

    /// One place, with the way down to it.
    pub async fn place(&self, at: &ServiceName, id: &str) -> ClientResult<PlaceView> {
        self.get(&["destinations", at.as_str(), "places", id], &[(); 0]).await
    }

    /// The folders directly in a place.
    pub async fn place_folders(
        &self,
        at: &ServiceName,
        id: &str,
        part: &PartList,
    ) -> ClientResult<Page<PlaceView>> {
        self.get(&["destinations", at.as_str(), "places", id, "folders"], part).await
    }

    /// The documents directly in a place.
    pub async fn place_documents(
        &self,
        at: &ServiceName,
        id: &str,
        part: &PartList,
    ) -> ClientResult<Page<DocumentView>> {
        self.get(&["destinations", at.as_str(), "places", id, "documents"], part).await
    }

    /// Values of a profile field.
    pub async fn lookup(
        &self,
        at: &ServiceName,
        field: &str,
        list: &ValueList,
    ) -> ClientResult<Page<ValueView>> {
        self.get(&["destinations", at.as_str(), "lookups", field], list).await
    }

    /// The lists of targets that there are.
    pub async fn lists(&self) -> ClientResult<ListsView> {
        self.get(&["lists"], &[(); 0]).await
    }

    /// Rows of a list by its parameters.
    pub async fn list_rows(
        &self,
        list: &ListName,
        given: &BTreeMap<String, String>,
    ) -> ClientResult<RowsView> {
        self.get(&["lists", list.as_str()], given).await
    }

    /// Puts a place on one's list of favourites, or takes it off.
    pub async fn favour(&self, at: &ServiceName, id: &str, keep: bool) -> ClientResult<()> {
        let method = if keep { Method::PUT } else { Method::DELETE };
        let path = ["destinations", at.as_str(), "places", id, "favourite"];
        Self::done(self.request(method, &path)).await
    }
}
