//! Questions and answers.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::xfer::{DnsHandle, FirstAnswer};
use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::proto::op::{DnsRequestOptions, DnsResponse, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{NameServerPool, PoolContext, TlsConfig};
use intake::{Answers, Inquiry, Lookup, Suspect, Suspects};
use tokio::sync::OnceCell;
use tokio::time;

use crate::settings::{Error, Settings};

/// Aliases followed from one name to the next. Reverse zones of small nets are delegated by one.
const ALIASES_MAX: usize = 8;
/// Name servers that leave so many rounds of questions unanswered in a row are taken for unreachable. Single zones whose
/// servers are down answer nothing too, but never to all who ask at a time, and again.
const SILENT_ROUNDS_MAX: usize = 4;

/// What came of asking.
pub struct Asked {
    /// For intake.
    pub answers: Answers,
    /// How much was asked.
    pub questions: Questions,
}

/// How much was asked. What is put again for want of an answer counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Questions {
    /// For the name of an address.
    pub reverse: u64,
    /// For the addresses of a name.
    pub forward: u64,
    /// Of both, those without an answer.
    pub unanswered: u64,
}

/// Asks about every suspect. Each address is asked for once, and each name once in a family of addresses, whatever the
/// answer is.
pub fn ask(suspects: &Suspects, settings: &Settings) -> Result<Asked, Error> {
    if suspects.is_empty() {
        return Ok(Asked {
            answers: Answers::new(suspects, []),
            questions: Questions::default(),
        });
    }
    let servers = settings.name_servers()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?;
    let context = PoolContext::new(settings.options(), TlsConfig::new().map_err(io_error)?);
    let provider = TokioRuntimeProvider::default();
    let asker = Asker {
        pool: NameServerPool::from_config(servers, Arc::new(context), provider),
        settings,
        known: RefCell::default(),
        questions: Cell::default(),
        silences: Cell::default(),
    };
    let heard: Vec<Inquiry<'_>> = runtime.block_on(
        stream::iter(suspects.iter())
            .map(|suspect| asker.inquire(suspect))
            .buffer_unordered(settings.concurrency.max(1))
            .collect(),
    );
    Ok(Asked {
        answers: Answers::new(suspects, heard),
        questions: asker.questions.get(),
    })
}

fn io_error(error: NetError) -> Error {
    Error::Runtime(std::io::Error::other(error.to_string()))
}

/// Where a name leads, once it is known.
type Known = Rc<OnceCell<Lookup<IpAddr>>>;

struct Asker<'a> {
    pool: NameServerPool<TokioRuntimeProvider>,
    settings: &'a Settings,
    /// Names asked about, and whether for the newer family.
    known: RefCell<BTreeMap<(String, bool), Known>>,
    questions: Cell<Questions>,
    /// Questions in a row that nobody answered.
    silences: Cell<usize>,
}

/// What one question got.
enum Reply {
    Message(Box<DnsResponse>),
    /// There is nothing of that kind under that name.
    Nothing,
    NoAnswer,
}

impl Asker<'_> {
    async fn inquire<'s>(&self, suspect: Suspect<'s>) -> Inquiry<'s> {
        let address = suspect.address();
        self.count(|questions| questions.reverse += 1);
        let name_of = |data: &RData| match data {
            RData::PTR(name) => Some(name.0.to_ascii()),
            _ => None,
        };
        let names = self
            .lookup(Name::from(address), RecordType::PTR, name_of)
            .await;
        let mut inquiry = suspect.named(names);
        while let Some(name) = inquiry.next().map(str::to_owned) {
            let addresses = self.addresses(&name, address.is_ipv6()).await;
            inquiry.hear(name, addresses);
        }
        inquiry
    }

    /// Addresses of a name; whoever comes second waits for the first one's answer.
    async fn addresses(&self, name: &str, is_v6: bool) -> Lookup<IpAddr> {
        let key = (name.to_owned(), is_v6);
        let known = Rc::clone(self.known.borrow_mut().entry(key).or_default());
        known
            .get_or_init(|| self.forward(name, is_v6))
            .await
            .clone()
    }

    async fn forward(&self, name: &str, is_v6: bool) -> Lookup<IpAddr> {
        let Ok(mut name) = Name::from_ascii(name) else {
            return Lookup::NoAnswer;
        };
        // As it stands: no search list of this machine is put behind it.
        name.set_fqdn(true);
        self.count(|questions| questions.forward += 1);
        let kind = if is_v6 {
            RecordType::AAAA
        } else {
            RecordType::A
        };
        let address_of = |data: &RData| match data {
            RData::A(address) => Some(IpAddr::V4(address.0)),
            RData::AAAA(address) => Some(IpAddr::V6(address.0)),
            _ => None,
        };
        self.lookup(name, kind, address_of).await
    }

    /// Values of that kind under a name, aliases followed.
    async fn lookup<T>(
        &self,
        name: Name,
        kind: RecordType,
        value: impl Fn(&RData) -> Option<T>,
    ) -> Lookup<T> {
        let mut passed = BTreeSet::from([name.clone()]);
        let mut at = name;
        let found = loop {
            let response = match self.question(&at, kind).await {
                Reply::Message(response) => response,
                Reply::Nothing => break Lookup::Nothing,
                Reply::NoAnswer => break Lookup::NoAnswer,
            };
            let begin = at.clone();
            // What a server says of other names is none of its business.
            let values = loop {
                let here = || response.answers.iter().filter(|record| record.name == at);
                let values: Vec<T> = here().filter_map(|record| value(&record.data)).collect();
                let alias = here().find_map(|record| match &record.data {
                    RData::CNAME(alias) => Some(alias.0.clone()),
                    _ => None,
                });
                match alias {
                    Some(alias) if values.is_empty() && passed.len() <= ALIASES_MAX => {
                        if !passed.insert(alias.clone()) {
                            break None;
                        }
                        at = alias;
                    }
                    Some(_) if values.is_empty() => break None,
                    _ => break Some(values),
                }
            };
            match values {
                Some(values) if !values.is_empty() => break Lookup::Found(values),
                Some(_) if at != begin && response.response_code == ResponseCode::NXDomain => {
                    break Lookup::Nothing;
                }
                // The server knows the alias only: ask where it leads.
                Some(_) if at != begin => {}
                // A loop, or an answer to something else.
                _ => break Lookup::NoAnswer,
            }
        };
        if matches!(found, Lookup::NoAnswer) {
            self.count(|questions| questions.unanswered += 1);
        }
        found
    }

    async fn question(&self, name: &Name, kind: RecordType) -> Reply {
        for _ in 0..=self.settings.retries {
            if self.is_given_up() {
                break;
            }
            let query = Query::query(name.clone(), kind);
            let mut options = DnsRequestOptions::default();
            options.edns_payload_len = self.settings.options().edns_payload_len;
            let response = self.pool.lookup(query, options).first_answer();
            // The pool waits that long for a datagram and then prefers another server; over TCP it waits anew.
            match time::timeout(self.settings.timeout * 2, response).await {
                Ok(Ok(response)) => {
                    self.silences.set(0);
                    return Reply::Message(Box::new(response));
                }
                Ok(Err(NetError::Dns(error))) => {
                    self.silences.set(0);
                    return reply(&error);
                }
                Ok(Err(_)) | Err(_) => {}
            }
        }
        self.silences.set(self.silences.get() + 1);
        Reply::NoAnswer
    }

    /// Whether nobody is there: waiting out every question would take hours.
    fn is_given_up(&self) -> bool {
        self.silences.get() >= self.settings.concurrency.max(1) * SILENT_ROUNDS_MAX
    }

    fn count(&self, add: impl FnOnce(&mut Questions)) {
        let mut questions = self.questions.get();
        add(&mut questions);
        self.questions.set(questions);
    }
}

fn reply(error: &DnsError) -> Reply {
    match error {
        // A list of servers that may know is no answer.
        DnsError::NoRecordsFound(NoRecords {
            ns: Some(_),
            soa: None,
            ..
        }) => Reply::NoAnswer,
        DnsError::NoRecordsFound(NoRecords {
            response_code: ResponseCode::NXDomain | ResponseCode::NoError,
            ..
        }) => Reply::Nothing,
        _ => Reply::NoAnswer,
    }
}
