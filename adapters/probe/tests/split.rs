//! A response comes in pieces of any size: what is told of it does not depend on them, and nothing that a stranger sends
//! makes the reader fail in another way than by telling.

use model::probe::Phase;
use probe::Reader;
use proptest::prelude::*;

/// Pieces of responses, good and bad, in any order.
const PIECES: [&[u8]; 24] = [
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 502\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.0 99 X\r\n",
    b"HTTP/2 200\r\n",
    b"HTT",
    b"Content-Length: 5\r\n",
    b"content-length: 6\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"transfer-encoding: gzip\r\n",
    b"Server: app\r\n",
    b"Bad Name: x\r\n",
    b": x\r\n",
    b" folded\r\n",
    b"\r\n",
    b"\n",
    b"\r",
    b"hello",
    b"5\r\nhello\r\n",
    b"0\r\n\r\n",
    b"ffffffffffffffff\r\n",
    b"\x15\x03\x01\x00\x02\x02\x46",
    b"\x00\xff",
];

/// Everything that is told of these bytes, fed in pieces that end at `cuts`.
fn told(bytes: &[u8], cuts: &[usize]) -> String {
    let mut reader = Reader::new(Some(64));
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    ends.push(bytes.len());
    ends.sort_unstable();
    let mut from = 0;
    for end in ends {
        if let Err(wrong) = reader.feed(&bytes[from..end]) {
            return format!("{wrong:?}");
        }
        from = end;
    }
    match reader.end() {
        Err(wrong) => format!("{wrong:?}"),
        Ok(()) => format!("{:?}", reader.into_answer()),
    }
}

fn response() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(PIECES.to_vec());
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn pieces_do_not_matter(bytes in response(), cuts in prop::collection::vec(any::<usize>(), 0..8)) {
        prop_assert_eq!(told(&bytes, &[]), told(&bytes, &cuts));
    }

    #[test]
    fn one_byte_at_a_time_is_the_same(bytes in response()) {
        let cuts: Vec<usize> = (0..bytes.len()).collect();
        prop_assert_eq!(told(&bytes, &[]), told(&bytes, &cuts));
    }

    #[test]
    fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), cut in any::<usize>()) {
        told(&bytes, &[cut]);
        let answer = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", bytes.as_slice()].concat();
        told(&answer, &[cut]);
    }
}

/// What is refused before the header is read never comes with a later phase.
#[test]
fn the_first_bytes_decide_what_is_no_http() {
    let mut reader = Reader::new(None);
    let wrong = reader.feed(b"lorem ipsum").err();
    assert_eq!(wrong.map(|wrong| wrong.phase), Some(Phase::FirstByte));
}
