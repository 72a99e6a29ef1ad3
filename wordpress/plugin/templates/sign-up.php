<?php
/**
 * The sign-up form, or the welcome after it.
 *
 * @var array{plans: list<array<string, mixed>>, values: array<string, string>, errors: array<string, string>, welcome: ?string, unavailable: bool} $args
 * @package Turnout
 */

namespace Turnout;

$values = $args['values'];
$errors = $args['errors'];
$chosen = find_plan( $args['plans'], $values['plan'] );

/** Attributes that tie an input to the message about it. */
$error_attributes = static fn( string $field ): string => isset( $errors[ $field ] ) ? ' aria-invalid="true" aria-describedby="' . esc_attr( "sign-up-$field-error" ) . '"' : '';
$print_error      = static function ( string $field ) use ( $errors ): void {
	if ( isset( $errors[ $field ] ) ) {
		echo '<p class="field__error" id="', esc_attr( "sign-up-$field-error" ), '">', esc_html( $errors[ $field ] ), '</p>';
	}
};
$fields = array(
	'name'  => __( 'Full name', 'turnout' ),
	'email' => __( 'Email', 'turnout' ),
	'plan'  => __( 'Plan', 'turnout' ),
);

get_header();
?>
<div class="page-head">
	<h1><?php esc_html_e( 'Sign up', 'turnout' ); ?></h1>
	<?php if ( null === $args['welcome'] ) : ?>
		<p class="lead"><?php esc_html_e( 'Two minutes, and your SIM is on its way. You keep your number.', 'turnout' ); ?></p>
	<?php endif; ?>
</div>
<?php if ( null !== $args['welcome'] ) : ?>
	<div class="notice notice--good" role="status">
		<?php /* translators: %s: name of a customer. */ ?>
		<p class="notice__title"><?php echo esc_html( sprintf( __( 'Welcome, %s', 'turnout' ), $args['welcome'] ) ); ?></p>
		<?php if ( $chosen ) : ?>
			<?php /* translators: 1: name of a plan, 2: its price. */ ?>
			<p><?php echo esc_html( sprintf( __( 'You are on %1$s for %2$s a month. Your SIM leaves us tomorrow.', 'turnout' ), $chosen['name'], price( $chosen['price'] ) ) ); ?></p>
		<?php endif; ?>
	</div>
	<p><a href="<?php echo esc_url( link_path( '/' ) ); ?>"><?php esc_html_e( 'Back to the start', 'turnout' ); ?></a></p>
	<?php
	get_footer();
	return;
endif;
?>
<?php if ( $args['unavailable'] ) : ?>
	<div class="notice notice--bad" role="alert">
		<p class="notice__title"><?php esc_html_e( 'We could not take your sign-up just now.', 'turnout' ); ?></p>
		<p><?php esc_html_e( 'Nothing is lost: what you typed is still below. Please try again in a minute.', 'turnout' ); ?></p>
	</div>
<?php elseif ( $errors ) : ?>
	<div class="notice notice--bad" role="alert">
		<p class="notice__title"><?php echo esc_html( $errors['form'] ?? __( 'Please check the form.', 'turnout' ) ); ?></p>
		<?php if ( array_intersect_key( $errors, $fields ) ) : ?>
			<ul>
				<?php foreach ( array_intersect_key( $fields, $errors ) as $field => $label ) : ?>
					<li><a href="#<?php echo esc_attr( "sign-up-$field" ); ?>"><?php echo esc_html( $label ); ?></a>: <?php echo esc_html( $errors[ $field ] ); ?></li>
				<?php endforeach; ?>
			</ul>
		<?php endif; ?>
	</div>
<?php endif; ?>
<?php // The API's messages are better than the browser's, hence novalidate. ?>
<form class="form" method="post" action="<?php echo esc_url( link_path( '/sign-up' ) ); ?>" novalidate>
	<div class="field">
		<label for="sign-up-name"><?php echo esc_html( $fields['name'] ); ?></label>
		<input id="sign-up-name" name="<?php echo esc_attr( SIGN_UP_INPUTS['name'] ); ?>" type="text" autocomplete="name" required value="<?php echo esc_attr( $values['name'] ); ?>"<?php echo $error_attributes( 'name' ); ?>>
		<?php $print_error( 'name' ); ?>
	</div>
	<div class="field">
		<label for="sign-up-email"><?php echo esc_html( $fields['email'] ); ?></label>
		<input id="sign-up-email" name="<?php echo esc_attr( SIGN_UP_INPUTS['email'] ); ?>" type="email" autocomplete="email" required value="<?php echo esc_attr( $values['email'] ); ?>"<?php echo $error_attributes( 'email' ); ?>>
		<?php $print_error( 'email' ); ?>
	</div>
	<div class="field">
		<label for="sign-up-plan"><?php echo esc_html( $fields['plan'] ); ?></label>
		<select id="sign-up-plan" name="<?php echo esc_attr( SIGN_UP_INPUTS['plan'] ); ?>" required<?php echo $error_attributes( 'plan' ); ?>>
			<option value=""><?php esc_html_e( 'Choose a plan', 'turnout' ); ?></option>
			<?php foreach ( $args['plans'] as $plan ) : ?>
				<option value="<?php echo esc_attr( $plan['id'] ); ?>"<?php selected( $values['plan'], $plan['id'] ); ?>><?php echo esc_html( $plan['name'] . ', ' . price( $plan['price'] ) . ' ' . __( 'a month', 'turnout' ) ); ?></option>
			<?php endforeach; ?>
		</select>
		<?php $print_error( 'plan' ); ?>
	</div>
	<button class="button" type="submit"><?php esc_html_e( 'Sign up', 'turnout' ); ?></button>
	<p class="form__note"><?php esc_html_e( 'We use your details to open your account and for nothing else.', 'turnout' ); ?></p>
</form>
<?php
get_footer();
