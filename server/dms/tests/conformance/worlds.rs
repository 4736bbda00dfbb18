//! Every DMS of the suite. A new one is a file here with a function `world`, and a line in [`cases`].

pub(crate) mod folder;
pub(crate) mod highq;
pub(crate) mod imanage;
pub(crate) mod netdocuments;
pub(crate) mod webdav_apache;
pub(crate) mod webdav_rclone;

/// Makes a test of each case for each DMS. A case is an `async fn(&dyn World) -> Outcome`; its tests are named
/// `…::case_name::dms_name`.
macro_rules! cases {
    ($($case:ident),+ $(,)?) => {$(
        mod $case {
            $crate::worlds::case!($case in folder);
            $crate::worlds::case!($case in highq);
            $crate::worlds::case!($case in imanage);
            $crate::worlds::case!($case in webdav_apache);
            $crate::worlds::case!($case in webdav_rclone);
            $crate::worlds::case!($case in netdocuments);
        }
    )+};
}

/// One case in one DMS.
macro_rules! case {
    ($case:ident in $name:ident) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            let world = $crate::worlds::$name::world();
            let record = $crate::table::Record::new(stringify!($name), stringify!($case), world.as_deref());
            record.settle(match &world {
                Some(world) => super::$case(world.as_ref()).await,
                None => $crate::table::Outcome::Absent,
            });
        }
    };
}

pub(crate) use {case, cases};
