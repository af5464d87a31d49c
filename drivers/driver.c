/* SPDX-License-Identifier: MIT */
/* driver.c - What every device has in common: that it can be closed. */
#include <lastack/runtime.h>

void la_rt_driver_close(struct la_rt_driver *driver)
{
    if (driver != NULL && driver->close != NULL)
        driver->close(driver->self);
}
