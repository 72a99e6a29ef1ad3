<?php
/**
 * Router of PHP's built-in server. The Node process in front has answered
 * static files and names the script to run; the pattern keeps everything else
 * closed to whoever reaches this port without it.
 */

$turnout_script = $_SERVER['HTTP_X_TURNOUT_SCRIPT'] ?? '/index.php';
unset( $_SERVER['HTTP_X_TURNOUT_SCRIPT'] );
if ( ! preg_match( '~^/(index|wp-login|wp-admin/(?:[a-z0-9-]+/)*[a-z0-9-]+)\.php$~D', $turnout_script ) || ! is_file( __DIR__ . '/site' . $turnout_script ) ) {
	http_response_code( 404 );
	exit;
}

$_SERVER['SCRIPT_NAME']     = $turnout_script;
$_SERVER['PHP_SELF']        = $turnout_script;
$_SERVER['SCRIPT_FILENAME'] = __DIR__ . '/site' . $turnout_script;
unset( $_SERVER['PATH_INFO'] );
chdir( dirname( $_SERVER['SCRIPT_FILENAME'] ) );
header_remove( 'X-Powered-By' );
require $_SERVER['SCRIPT_FILENAME'];
