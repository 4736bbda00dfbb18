//! Tests over corpora.
