<?php
/**
 * Plugin Name: Offline
 * Description: Takes out what WordPress would fetch from the internet by itself: update checks and the dashboard's news. The configuration blocks such calls anyway; without them, pages of the dashboard don't wait for a refusal.
 * License: MIT
 */

if ( ! defined( 'ABSPATH' ) ) {
	exit;
}

add_action(
	'admin_init',
	static function (): void {
		remove_action( 'admin_init', '_maybe_update_core' );
		remove_action( 'admin_init', '_maybe_update_plugins' );
		remove_action( 'admin_init', '_maybe_update_themes' );
		remove_action( 'load-plugins.php', 'wp_update_plugins' );
		remove_action( 'load-themes.php', 'wp_update_themes' );
		remove_action( 'load-update-core.php', 'wp_update_plugins' );
		remove_action( 'load-update-core.php', 'wp_update_themes' );
	},
	1
);
add_action(
	'wp_dashboard_setup',
	static function (): void {
		remove_meta_box( 'dashboard_primary', 'dashboard', 'side' );
	}
);
add_filter( 'xmlrpc_enabled', '__return_false' );
add_filter( 'pre_site_transient_browser_' . md5( (string) ( $_SERVER['HTTP_USER_AGENT'] ?? '' ) ), '__return_empty_array' );
add_filter( 'pre_site_transient_php_check_' . md5( PHP_VERSION ), '__return_empty_array' );
