//! `lxc cluster role`: what a member does for the cluster.

use corten_api::error::{Error, Result};

use super::{OfMember, change};
use crate::arguments::Arguments;
use crate::commands::Command;
use crate::entity::Entity;
use crate::run;
use crate::session::Session;

/// The group.
pub static COMMAND: Command =
    Command { name: "role", about: "Manage cluster roles", children: &[&ADD, &REMOVE], ..Command::EMPTY };

static ADD: Command = Command {
    name: "add",
    usage: "[<remote>:]<member> <role[,role...]>",
    about: "Add roles to a cluster member",
    words: (2, Some(2)),
    run: run!(add),
    ..Command::EMPTY
};

static REMOVE: Command = Command {
    name: "remove",
    usage: "[<remote>:]<member> <role[,role...]>",
    about: "Remove roles from a cluster member",
    words: (2, Some(2)),
    run: run!(remove),
    ..Command::EMPTY
};

fn roles(arguments: &Arguments) -> Vec<String> {
    arguments.word(1).split(',').map(|role| role.trim().to_owned()).collect()
}

async fn add(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = OfMember::place(session, arguments).await?;
    change(&place, |member| {
        for role in roles(arguments) {
            if member.roles.contains(&role) {
                return Err(Error::conflict(format!("Member {:?} already has role {role:?}", place.name)));
            }
            member.roles.push(role);
        }
        Ok(())
    })
    .await
}

async fn remove(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = OfMember::place(session, arguments).await?;
    change(&place, |member| {
        for role in roles(arguments) {
            if !member.roles.contains(&role) {
                return Err(Error::not_found(format!("Member {:?} does not have role {role:?}", place.name)));
            }
            member.roles.retain(|had| *had != role);
        }
        Ok(())
    })
    .await
}
