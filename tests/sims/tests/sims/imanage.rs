//! The fake iManage Work server.

mod faults;
mod files;
mod people;
mod searches;
mod shelves;
mod sign_in;
mod support;
