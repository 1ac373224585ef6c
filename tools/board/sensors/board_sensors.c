// SPDX-License-Identifier: (GPL-2.0-only OR MIT)
/*
 * What a virtual board lacks: a thermal zone, a battery and mains, each set through
 * /sys/module/board_sensors/parameters and read through the kernel's own classes.
 *
 *   echo 83000 > temperature_mc     what the zone says, in millidegrees
 *   echo 5     > temperature_errno  0, or the error with which reading it fails (5: EIO)
 *   echo 17    > charge_percent
 *   echo 0     > mains              0: on battery
 *
 * The zone's only trip point is passive and nothing is bound to it: it says where a board slows
 * down, and slows nothing. A critical one would have the kernel power the board off.
 */
#include <linux/module.h>
#include <linux/power_supply.h>
#include <linux/thermal.h>

#define PASSIVE_MC 80000

static int temperature_mc = 45000;
module_param(temperature_mc, int, 0644);
static int temperature_errno;
module_param(temperature_errno, int, 0644);
static int charge_percent = 90;
module_param(charge_percent, int, 0644);
static bool mains = true;
module_param(mains, bool, 0644);

static int zone_temp(struct thermal_zone_device *zone, int *millidegrees)
{
	*millidegrees = temperature_mc;
	return -temperature_errno;
}

static int zone_trip_type(struct thermal_zone_device *zone, int trip, enum thermal_trip_type *type)
{
	*type = THERMAL_TRIP_PASSIVE;
	return 0;
}

static int zone_trip_temp(struct thermal_zone_device *zone, int trip, int *millidegrees)
{
	*millidegrees = PASSIVE_MC;
	return 0;
}

static struct thermal_zone_device_ops zone_ops = {
	.get_temp = zone_temp,
	.get_trip_type = zone_trip_type,
	.get_trip_temp = zone_trip_temp,
};

static int battery_property(struct power_supply *battery, enum power_supply_property property,
			    union power_supply_propval *value)
{
	switch (property) {
	case POWER_SUPPLY_PROP_STATUS:
		if (!mains)
			value->intval = POWER_SUPPLY_STATUS_DISCHARGING;
		else if (charge_percent < 100)
			value->intval = POWER_SUPPLY_STATUS_CHARGING;
		else
			value->intval = POWER_SUPPLY_STATUS_FULL;
		return 0;
	case POWER_SUPPLY_PROP_PRESENT:
		value->intval = 1;
		return 0;
	case POWER_SUPPLY_PROP_CAPACITY:
		value->intval = charge_percent;
		return 0;
	default:
		return -EINVAL;
	}
}

static int mains_property(struct power_supply *supply, enum power_supply_property property,
			  union power_supply_propval *value)
{
	if (property != POWER_SUPPLY_PROP_ONLINE)
		return -EINVAL;
	value->intval = mains;
	return 0;
}

static enum power_supply_property battery_properties[] = {
	POWER_SUPPLY_PROP_STATUS,
	POWER_SUPPLY_PROP_PRESENT,
	POWER_SUPPLY_PROP_CAPACITY,
};

static enum power_supply_property mains_properties[] = {
	POWER_SUPPLY_PROP_ONLINE,
};

static const struct power_supply_desc battery_desc = {
	.name = "board-battery",
	.type = POWER_SUPPLY_TYPE_BATTERY,
	.properties = battery_properties,
	.num_properties = ARRAY_SIZE(battery_properties),
	.get_property = battery_property,
};

static const struct power_supply_desc mains_desc = {
	.name = "board-mains",
	.type = POWER_SUPPLY_TYPE_MAINS,
	.properties = mains_properties,
	.num_properties = ARRAY_SIZE(mains_properties),
	.get_property = mains_property,
};

static struct thermal_zone_device *zone;
static struct power_supply *battery, *supply;

static int __init board_sensors_init(void)
{
	int error;

	zone = thermal_zone_device_register("cpu-thermal", 1, 0, NULL, &zone_ops, NULL, 0, 0);
	if (IS_ERR(zone))
		return PTR_ERR(zone);
	error = thermal_zone_device_enable(zone);
	if (error)
		goto no_zone;
	battery = power_supply_register(NULL, &battery_desc, NULL);
	if (IS_ERR(battery)) {
		error = PTR_ERR(battery);
		goto no_zone;
	}
	supply = power_supply_register(NULL, &mains_desc, NULL);
	if (IS_ERR(supply)) {
		error = PTR_ERR(supply);
		goto no_battery;
	}
	return 0;

no_battery:
	power_supply_unregister(battery);
no_zone:
	thermal_zone_device_unregister(zone);
	return error;
}

static void __exit board_sensors_exit(void)
{
	power_supply_unregister(supply);
	power_supply_unregister(battery);
	thermal_zone_device_unregister(zone);
}

module_init(board_sensors_init);
module_exit(board_sensors_exit);
MODULE_DESCRIPTION("Thermal zone, battery and mains of a virtual board");
MODULE_LICENSE("Dual MIT/GPL");
