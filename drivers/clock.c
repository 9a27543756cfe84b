/*
 * The battery clock. It is changed once a second by the hardware, and must not be read while that goes on: two equal
 * readings outside of an update are good.
 */
#include "drivers/clock.h"

#include "kernel/lib/string.h"
#include "kernel/x86/io.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71
#define CMOS_SECOND 0x00
#define CMOS_MINUTE 0x02
#define CMOS_HOUR 0x04
#define CMOS_DAY 0x07
#define CMOS_MONTH 0x08
#define CMOS_YEAR 0x09
#define CMOS_STATUS_A 0x0a
#define CMOS_STATUS_B 0x0b

#define STATUS_A_UPDATING 0x80
#define STATUS_B_24_HOURS 0x02
#define STATUS_B_BINARY 0x04
#define HOUR_AFTERNOON 0x80
#define CENTURY_PIVOT 70 /* the clock has two digits for the year: 70 to 99 are of the last century */
#define READINGS_MAX 100000

static u8
cmos_read(u8 index)
{
    io_write8(CMOS_INDEX, index);
    return io_read8(CMOS_DATA);
}

static struct clock_reading
read_once(void)
{
    return (struct clock_reading){cmos_read(CMOS_SECOND), cmos_read(CMOS_MINUTE), cmos_read(CMOS_HOUR),
                                  cmos_read(CMOS_DAY), cmos_read(CMOS_MONTH), cmos_read(CMOS_YEAR)};
}

static struct clock_reading
read_stable(void)
{
    struct clock_reading first, second;
    u32 attempts = READINGS_MAX;

    do {
        while ((cmos_read(CMOS_STATUS_A) & STATUS_A_UPDATING) && attempts > 0)
            attempts--;
        first = read_once();
        second = read_once();
    } while (memcmp(&first, &second, sizeof(first)) != 0 && attempts-- > 0);
    return first;
}

static u32
decimal(u8 value, u8 status_b)
{
    return status_b & STATUS_B_BINARY ? value : (value >> 4) * 10u + (value & 0xf);
}

static u32
decimal_hour(u8 value, u8 status_b)
{
    u32 hour = decimal(value & (u8)~HOUR_AFTERNOON, status_b);

    if (status_b & STATUS_B_24_HOURS)
        return hour;
    return hour % 12 + (value & HOUR_AFTERNOON ? 12 : 0);
}

u32
clock_seconds(u32 year, u32 month, u32 day, u32 hour, u32 minute, u32 second)
{
    /* With March as the first month the leap day is the last of the year, and the months' lengths repeat every five. */
    u32 shifted_year = month > 2 ? year : year - 1;
    u32 shifted_month = (month + 9) % 12;
    u32 leap_days = shifted_year / 4 - shifted_year / 100 + shifted_year / 400;
    u32 days_before_1970 = 719468;
    u32 days = shifted_year * 365 + leap_days + (shifted_month * 153 + 2) / 5 + day - 1 - days_before_1970;

    return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

u32
clock_convert(const struct clock_reading *reading, u8 status_b)
{
    u32 year = decimal(reading->year, status_b);

    year += year < CENTURY_PIVOT ? 2000 : 1900;
    return clock_seconds(year, decimal(reading->month, status_b), decimal(reading->day, status_b),
                         decimal_hour(reading->hour, status_b), decimal(reading->minute, status_b), decimal(reading->second, status_b));
}

u32
clock_read(void)
{
    u8 status_b = cmos_read(CMOS_STATUS_B);
    struct clock_reading now = read_stable();

    return clock_convert(&now, status_b);
}
