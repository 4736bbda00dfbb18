//! `GET /api` and what else tells a client where it is.

use serde_json::{Value, json};

use super::dispatch::Call;
use super::error::Result;
use super::reply::Reply;

/// `GET {base}/api`: versions, tenant number and "who am I". Literal values of `auth_status` are inferred.
pub(super) fn api(call: &Call<'_>) -> Reply {
    let state = call.shared.state();
    let mut data = json!({
        "auth_status": if call.caller.is_some() { "authenticated" } else { "unauthenticated" },
        "dms_version": call.switches.dms_version,
        "versions": [{
            "name": "v2", "version": "2.1.1630",
            "url": format!("{}{}", call.base, call.switches.api_root),
        }],
    });
    let user = call.caller.as_ref().and_then(|c| state.users.get(&c.user));
    if let (Some(user), Value::Object(map)) = (user, &mut data) {
        let who = json!({
            "customer_id": state.customer_id, "id": user.id, "email": user.email, "name": user.full_name,
        });
        map.insert("user".into(), who);
        map.insert("work".into(), json!({ "preferred_library": user.preferred_library }));
    }
    Reply::data(data)
}

pub(super) fn features() -> Reply {
    Reply::data(json!({ "multi_lang_document_search": false }))
}

/// `GET …/libraries`.
pub(super) fn libraries(call: &Call<'_>) -> Reply {
    let state = call.shared.state();
    let list: Vec<Value> = state
        .libraries
        .iter()
        .map(|l| json!({ "id": l.name, "type": "worksite", "is_hidden": false, "display_name": l.display_name }))
        .collect();
    Reply::data(Value::Array(list))
}

/// `GET L/operations`: the caller's bits in the library.
pub(super) fn library_operations(call: &Call<'_>) -> Result<Reply> {
    call.library()?;
    let caller = call.caller()?;
    let state = call.shared.state();
    let admin = state.users.get(&caller.user).is_some_and(|u| u.is_admin);
    let external = state.users.get(&caller.user).is_some_and(|u| u.is_external);
    Ok(Reply::data(json!({
        "m1_bits": {
            "import": true, "checkout": true, "delete": true, "read_only": false,
            "allow_index_search": true, "edit_previous_versions": true, "create_public_folder": !external,
        },
        "m2_bits": { "external": external, "use_admin_tool": admin },
        "m3_bits": {
            "author_workspace": !external, "browse_workspace": true,
            "search_workspace": true, "delete_workspace": admin,
        },
        "m4_bits": { "tier": u8::from(admin), "trustee_management": admin, "admin_tier_1": admin },
    })))
}
