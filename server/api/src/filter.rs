//! The filter language: `state:failed dest:dms-eu cause:403 age>2h -from:scanner3 "share purchase"`.
