//! HAProxy's JSON: hand-made formats with the names that its documentation gives the values.

use model::{Edge, Field};

use super::Product;

pub(super) const PRODUCT: Product = Product {
    edge: Edge::Haproxy,
    markers: &[r#""termination_state""#],
    names: &[("termination_state", Some(Field::TerminationState))],
};
