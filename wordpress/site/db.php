<?php
/**
 * Database drop-in: puts the SQLite integration in the place of MySQL. It is in
 * wp-content only where the site has no MySQL database.
 */

define( 'DATABASE_TYPE', 'sqlite' );
define( 'DB_ENGINE', 'sqlite' );
require_once dirname( __DIR__, 2 ) . '/sqlite-database-integration/wp-includes/sqlite/db.php';
