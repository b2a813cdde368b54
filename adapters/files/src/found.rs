//! A source that was found, not yet read.

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::decoder::{Compression, Decoder};
use crate::error::ReadError;
use crate::limit::HEAD_BYTES;

/// A file or stream that may be a log. Cloning is cheap and shares a stream.
#[derive(Clone)]
pub struct Found {
    /// The path as the user would type it: for a file of a directory argument `dir/name`, for standard input `-`.
    pub name: String,
    /// Bytes on disk when it was found; 0 for a stream.
    pub size: u64,
    /// How it is packed.
    pub compression: Compression,
    pub(crate) access: Access,
}

#[derive(Clone)]
pub(crate) enum Access {
    File {
        path: PathBuf,
        id: FileId,
    },
    /// A stream gives its bytes once, so its head is kept and its rest waits for the one who reads it.
    Stream {
        head: Arc<[u8]>,
        rest: Arc<Mutex<Option<Opened>>>,
    },
}

/// An open source, and what went wrong with it while its head was read.
pub(crate) struct Opened {
    pub(crate) decoder: Decoder,
    pub(crate) failure: Option<io::Error>,
}

/// Name, size and packing: never the head, which is log text.
impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found")
            .field("name", &self.name)
            .field("size", &self.size)
            .field("compression", &self.compression)
            .finish_non_exhaustive()
    }
}

/// The first 64 KiB of a source, inflated; fewer where it is shorter or damaged. Works before and after reading it.
pub fn head(found: &Found) -> io::Result<Vec<u8>> {
    match &found.access {
        Access::Stream { head, .. } => Ok(head.to_vec()),
        Access::File { path, .. } => {
            let (bytes, result) = Decoder::new(Box::new(File::open(path)?))?.read_up_to(HEAD_BYTES);
            match result {
                Err(error) if bytes.is_empty() => Err(error),
                _ => Ok(bytes),
            }
        }
    }
}

impl Found {
    /// Whether it gives its bytes once: a pipe or standard input.
    pub fn is_stream(&self) -> bool {
        matches!(self.access, Access::Stream { .. })
    }

    /// A pipe or standard input, read up to its head.
    pub(crate) fn stream(name: String, raw: Box<dyn Read + Send>) -> io::Result<Self> {
        let mut decoder = Decoder::new(raw)?;
        let (head, result) = decoder.read_up_to(HEAD_BYTES);
        let compression = decoder.compression();
        let failure = result.err();
        let rest = Arc::new(Mutex::new(Some(Opened { decoder, failure })));
        Ok(Self {
            name,
            size: 0,
            compression,
            access: Access::Stream {
                head: head.into(),
                rest,
            },
        })
    }

    /// Opens it for reading: the decoder, and the bytes that were taken from it already.
    pub(crate) fn open(&self) -> Result<(Opened, Vec<u8>), ReadError> {
        match &self.access {
            Access::Stream { head, rest } => {
                let rest = rest.lock().unwrap_or_else(PoisonError::into_inner).take();
                Ok((rest.ok_or(ReadError::Spent)?, head.to_vec()))
            }
            Access::File { path, id } => {
                let file = File::open(path).map_err(ReadError::Open)?;
                let metadata = file.metadata().map_err(ReadError::Open)?;
                if FileId::of(path, &metadata).map_err(ReadError::Open)? != *id {
                    return Err(ReadError::Replaced);
                }
                let decoder = Decoder::new(Box::new(file)).map_err(ReadError::Open)?;
                Ok((
                    Opened {
                        decoder,
                        failure: None,
                    },
                    Vec::new(),
                ))
            }
        }
    }
}

/// What makes two paths the same file: device and inode, so that hard links count too.
#[cfg(unix)]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

#[cfg(unix)]
impl FileId {
    pub(crate) fn of(_path: &Path, metadata: &Metadata) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt;
        Ok(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }
}

/// What makes two paths the same file: the path without links.
#[cfg(not(unix))]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileId(PathBuf);

#[cfg(not(unix))]
impl FileId {
    pub(crate) fn of(path: &Path, _metadata: &Metadata) -> io::Result<Self> {
        fs::canonicalize(path).map(Self)
    }
}

/// Follows links.
pub(crate) fn metadata(path: &Path) -> io::Result<(Metadata, FileId)> {
    let metadata = fs::metadata(path)?;
    let id = FileId::of(path, &metadata)?;
    Ok((metadata, id))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail by panic")]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::{Limits, chunks};

    /// A pipe that gives a few bytes at a time.
    struct Dribble {
        bytes: io::Cursor<Vec<u8>>,
        step: usize,
    }

    impl Read for Dribble {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let step = self.step.min(into.len());
            self.bytes.read(&mut into[..step])
        }
    }

    fn stream(bytes: Vec<u8>, step: usize) -> Found {
        let bytes = io::Cursor::new(bytes);
        Found::stream("-".to_owned(), Box::new(Dribble { bytes, step })).unwrap()
    }

    fn content() -> Vec<u8> {
        (0..30_000)
            .flat_map(|number| format!("line {number}\n").into_bytes())
            .collect()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(found: &Found, limits: &Limits) -> Vec<(u64, Vec<u8>)> {
        chunks(found, limits)
            .map(|chunk| {
                chunk
                    .map(|chunk| (chunk.first_line, chunk.bytes))
                    .ok()
                    .unwrap()
            })
            .collect()
    }

    #[test]
    fn a_stream_gives_the_same_chunks_for_any_size_of_its_reads() {
        let content = content();
        let packings = [
            content.clone(),
            gzip(&content),
            zstd::encode_all(&*content, 1).unwrap(),
        ];
        let limits = Limits {
            chunk_bytes: 10_000,
            ..Limits::default()
        };
        let expected = read(&stream(content.clone(), usize::MAX), &limits);
        assert_eq!(expected.len(), content.len().div_ceil(10_000));
        for packed in packings {
            for step in [1, 2, 3, 1_000, 4_096, usize::MAX] {
                let found = stream(packed.clone(), step);
                assert_eq!(head(&found).unwrap(), content[..HEAD_BYTES]);
                assert!(read(&found, &limits) == expected);
                assert_eq!(head(&found).unwrap(), content[..HEAD_BYTES]);
            }
        }
    }

    #[test]
    fn a_stream_is_read_once() {
        let found = stream(b"a\n".to_vec(), 1);
        assert_eq!(read(&found, &Limits::default()), [(1, b"a\n".to_vec())]);
        let again = chunks(&found, &Limits::default()).next();
        assert!(matches!(again, Some(Err(ReadError::Spent))));
    }

    #[test]
    fn a_stream_cut_within_its_head_gives_its_lines_and_then_says_so() {
        let packed = gzip(b"a\nb\n");
        let found = stream(packed[..packed.len() - 4].to_vec(), 1);
        let mut reader = chunks(&found, &Limits::default());
        assert_eq!(reader.next().unwrap().ok().unwrap().bytes, b"a\nb\n");
        let failure = reader.next().unwrap().err().unwrap();
        assert!(
            matches!(failure, ReadError::Truncated { lines: 2, .. }),
            "{failure}"
        );
        assert!(reader.next().is_none());
    }
}
