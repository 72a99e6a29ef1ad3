<?php
/**
 * Plugin Name: Turnout
 * Description: A mobile operator's plans and sign-up, from the product API, at /plans, /plans/<id> and /sign-up. Reports conversions to the edge. Keeps the public address when WordPress stands behind a reverse proxy.
 * Version: 0.1.0
 * Requires at least: 6.0
 * Requires PHP: 8.1
 * License: MIT
 * License URI: https://opensource.org/license/mit
 * Text Domain: turnout
 *
 * @package Turnout
 */

namespace Turnout;

if ( ! defined( 'ABSPATH' ) ) {
	exit;
}

require __DIR__ . '/includes/public-address.php';
require __DIR__ . '/includes/product-api.php';
require __DIR__ . '/includes/formatting.php';
require __DIR__ . '/includes/templates.php';
require __DIR__ . '/includes/conversion-request.php';
require __DIR__ . '/includes/conversions.php';
require __DIR__ . '/includes/sign-up.php';
require __DIR__ . '/includes/pages.php';
