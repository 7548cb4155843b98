//! Addresses: where a file lies, and where a redirect may lead.

use url::Url;

use crate::error::FetchError;
use crate::source::Source;

/// The address of a file of `set`, at its usual place or below `mirror`.
pub(crate) fn of_file(set: &Source, name: &str, mirror: Option<&str>) -> Result<Url, FetchError> {
    let base = mirror.unwrap_or(set.base);
    let refused = |reason: String| FetchError::Address { address: without_password(base), reason };
    let mut address = Url::parse(base).map_err(|error| refused(error.to_string()))?;
    permitted(&address).map_err(|reason| refused(reason.into()))?;
    if address.query().is_some() || address.fragment().is_some() {
        return Err(refused("file names cannot be appended to an address with ? or #".into()));
    }
    address
        .path_segments_mut()
        .map_err(|()| refused("file names cannot be appended to it".into()))?
        .pop_if_empty()
        .push(name);
    Ok(address)
}

/// Where a redirect from `address` leads.
pub(crate) fn redirected(address: &Url, location: &str) -> Result<Url, String> {
    let next = address.join(location).map_err(|error| format!("a redirect to a bad address: {error}"))?;
    match permitted(&next) {
        Ok(()) => Ok(next),
        Err(reason) => Err(format!("a redirect to {}, which {reason}", without_password(next.as_str()))),
    }
}

/// No files, no data, nobody's password: only what any browser would ask any server.
fn permitted(address: &Url) -> Result<(), &'static str> {
    if !["http", "https"].contains(&address.scheme()) {
        return Err("is neither http nor https");
    }
    if !address.username().is_empty() || address.password().is_some() {
        return Err("holds a user name or password, which are not sent");
    }
    if address.host_str().is_none_or(str::is_empty) { Err("names no host") } else { Ok(()) }
}

/// What may be shown or logged of an address.
fn without_password(address: &str) -> String {
    match (address.find("://"), address.rfind('@')) {
        (Some(scheme), Some(at)) if scheme + 3 <= at => {
            format!("{}…{}", &address[..scheme + 3], &address[at..])
        }
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(mirror: &str) -> Result<String, String> {
        let set = crate::find("mnist").expect("MNIST is in the table");
        of_file(set, "a-file.gz", Some(mirror)).map(String::from).map_err(|error| error.to_string())
    }

    #[test]
    fn names_are_appended() {
        assert_eq!(at("http://x.org").as_deref(), Ok("http://x.org/a-file.gz"));
        assert_eq!(at("http://x.org/d").as_deref(), Ok("http://x.org/d/a-file.gz"));
        assert_eq!(at("https://x.org:8/d/").as_deref(), Ok("https://x.org:8/d/a-file.gz"));
        for set in crate::SETS {
            for file in set.files {
                let usual = of_file(set, file.name, None).map(String::from).ok();
                assert_eq!(usual, Some(format!("{}{}", set.base, file.name)));
            }
        }
    }

    #[test]
    fn strange_mirrors_are_refused_without_their_password() {
        for (mirror, reason) in [
            ("file:///etc/", "neither http nor https"),
            ("ftp://x.org/", "neither http nor https"),
            ("data:text/plain,x", "neither http nor https"),
            ("x.org/mnist", "relative URL"),
            ("", "relative URL"),
            ("http://", "empty host"),
            ("http://me:secret@x.org/", "password"),
            ("http://x.org/?d=1", "with ? or #"),
            ("http://x.org/#top", "with ? or #"),
        ] {
            let error = at(mirror).expect_err(mirror);
            assert!(error.contains(reason) && !error.contains("secret"), "{mirror}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_redirect_leaves_http(location in "(file|data|ftp|javascript|HTTPS?|//|\\.\\./)?[:/@?#a-z.]{0,20}") {
            let from = Url::parse("https://x.org/d/a").expect("an address");
            if let Ok(next) = redirected(&from, &location) {
                prop_assert!(["http", "https"].contains(&next.scheme()));
                prop_assert!(next.username().is_empty() && next.password().is_none());
                prop_assert!(next.host_str().is_some_and(|host| !host.is_empty()));
            }
        }
    }
}
