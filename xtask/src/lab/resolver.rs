//! A resolver that knows no name: every question gets the same refusal.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;

/// What it says (RFC 1035, section 4.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    ServerFailure = 2,
    NoSuchName = 3,
}

/// How long it may take to see that it is to end, real time.
const PAUSE: Duration = Duration::from_millis(50);
/// Bytes of a message's head.
const HEAD: usize = 12;

/// One at work. Dropping it ends it.
pub(crate) struct Resolver {
    pub(crate) address: SocketAddr,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Resolver {
    /// Answers on a free port of the loopback net.
    pub(crate) fn start(refusal: Refusal) -> Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_read_timeout(Some(PAUSE))?;
        let over = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&over);
        Ok(Self {
            address: socket.local_addr()?,
            thread: Some(std::thread::spawn(move || {
                let mut question = [0; 512];
                while !is_over.load(Ordering::SeqCst) {
                    if let Ok((size, client)) = socket.recv_from(&mut question)
                        && let Some(answer) = question
                            .get(..size)
                            .and_then(|question| answer(question, refusal))
                    {
                        socket.send_to(&answer, client).ok();
                    }
                }
            })),
            over,
        })
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// The question back, without what else came with it.
fn answer(question: &[u8], refusal: Refusal) -> Option<Vec<u8>> {
    let name = question.get(HEAD..)?.iter().position(|byte| *byte == 0)?;
    // The name's end, type and class.
    let mut answer = question.get(..HEAD + name + 5)?.to_vec();
    let flags = [0x81, 0x80 | refusal as u8];
    answer.get_mut(2..4)?.copy_from_slice(&flags);
    answer.get_mut(6..HEAD)?.fill(0);
    Some(answer)
}
