//! The sentences that text and Markdown share.

mod blocked;
mod cause;
mod harm;
mod risk;
mod row;
mod who;
mod why;

pub(crate) use blocked::blocked;
pub(crate) use cause::{cause, echoes, otherwise, shape};
pub(crate) use harm::{harm, lost, nothing_owed};
pub(crate) use risk::{advice_mark, fact_mark, risk};
pub(crate) use row::{end, length, one_line};
pub(crate) use who::{among, chain, sentence, short_sentence, subject};
pub(crate) use why::why;
