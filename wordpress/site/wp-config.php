<?php
/**
 * Configuration of the WordPress that Turnout serves, embedded and on real PHP
 * alike. Copied into the site on every start; what differs between the two comes
 * from the environment of the PHP process.
 */

$turnout_env = static fn( string $name, string $otherwise = '' ): string => (string) ( getenv( $name ) ?: $otherwise );

define( 'DB_NAME', $turnout_env( 'TURNOUT_WORDPRESS_DB_NAME', 'wordpress' ) );
define( 'DB_USER', $turnout_env( 'TURNOUT_WORDPRESS_DB_USER' ) );
define( 'DB_PASSWORD', $turnout_env( 'TURNOUT_WORDPRESS_DB_PASSWORD' ) );
define( 'DB_HOST', $turnout_env( 'TURNOUT_WORDPRESS_DB_HOST', 'localhost' ) );
define( 'DB_CHARSET', 'utf8mb4' );
define( 'DB_COLLATE', '' );
$table_prefix = 'wp_';

// Where the SQLite drop-in keeps its file: beside the document root, not in it.
define( 'DB_DIR', dirname( __DIR__ ) . '/database/' );
define( 'DB_FILE', 'site.sqlite' );

// No keys or salts here: without them WordPress makes its own, once, and keeps
// them in the database, so no secret has to live in a file under the web root.

// Errors go to the log of the process, never into a page.
define( 'WP_DEBUG', false );
define( 'WP_DEBUG_DISPLAY', false );

// The edge decides which public hosts exist; here a host only has to look like
// one. The pattern is what the plugin lets through into redirects and links.
define( 'TURNOUT_PUBLIC_HOST_PATTERN', '/^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(:[0-9]{1,5})?$/iD' );
define( 'TURNOUT_API_URL', $turnout_env( 'TURNOUT_API_URL', 'http://127.0.0.1:4000' ) );

define( 'TURNOUT_EDGE_URL', $turnout_env( 'TURNOUT_EDGE_URL', 'http://127.0.0.1:8080' ) );

// The site calls nobody but the product API and the edge: no update checks, no news, no
// oEmbed look-ups, and no code installed from the dashboard.
define( 'WP_HTTP_BLOCK_EXTERNAL', true );
define( 'WP_ACCESSIBLE_HOSTS', parse_url( TURNOUT_API_URL, PHP_URL_HOST ) . ',' . parse_url( TURNOUT_EDGE_URL, PHP_URL_HOST ) );
define( 'AUTOMATIC_UPDATER_DISABLED', true );
define( 'DISALLOW_FILE_MODS', true );
define( 'DISABLE_WP_CRON', true );

// Script concatenation would need every source file in one PHP request.
define( 'CONCATENATE_SCRIPTS', false );
define( 'WP_POST_REVISIONS', 10 );

if ( ! defined( 'ABSPATH' ) ) {
	define( 'ABSPATH', __DIR__ . '/' );
}
require_once ABSPATH . 'wp-settings.php';
