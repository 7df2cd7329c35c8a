// SPDX-License-Identifier: Apache-2.0
/* referral: what a configuration names outside of itself, which it alone cannot tell. */
#pragma once
#include "config/catalog.h"
#include "config/known.h"

struct referral {
    const struct catalog *catalog;
    const struct known *known;
};

/* Each category and service of a source or group is one that data files know, and
 * server.user exists. -EINVAL with the place, and the nearest word. */
__attribute__((warn_unused_result)) int
referral_check(const struct config *config, const struct referral *to, struct diag *diag);

/* The same with the data files of its server.data_dir; also what catalog_load() says. */
__attribute__((warn_unused_result)) int referral_check_own(const struct config *config,
                                                           struct diag *diag);

/* Each of web.languages is one that texts.yaml in server.data_dir speaks. Without that file, or
 * with a mistake in it, all are: greengate-web alone needs it, and says so. */
__attribute__((warn_unused_result)) int referral_check_texts(const struct config *config,
                                                             struct diag *diag);
